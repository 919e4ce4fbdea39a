//! `refusing.bare` and `refusing.explained`: typed tasks that say why on standard error, and return an error without and
//! with a payload.

wit_bindgen::generate!({
    inline: "
        package test:refusing;

        world refusing {
            export bare: func() -> result;
            export explained: func(message: string) -> result<_, string>;
        }
    ",
});

struct Refusing;

impl Guest for Refusing {
    fn bare() -> Result<(), ()> {
        eprintln!("reading invoice 4711");
        eprintln!("invoice 4711 has no customer");
        Err(())
    }

    fn explained(message: String) -> Result<(), String> {
        eprintln!("reading invoice 4711");
        Err(message)
    }
}

export!(Refusing);
