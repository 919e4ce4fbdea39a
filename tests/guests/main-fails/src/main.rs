//! `main-fails.run`: a program that says what it does on standard error, and whose `main` returns an error.

fn main() -> Result<(), String> {
    eprintln!("reading invoice 4711");
    Err("invoice 4711 has no customer".to_owned())
}
