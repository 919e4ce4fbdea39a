//! Tests of compiling in a child process: what it compiles can be loaded, what it may use is limited, and its end is
//! blamed on whoever caused it. This program is the child as well, so that it has a `main` of its own.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use tokio::time::{sleep, timeout};
use wasmhost_protocol::digest::Digest;
use wasmhost_protocol::ids::ModuleName;
use wasmhost_sandbox::{
    COMPILE_SUBCOMMAND, Compiler, LoadError, LoadedModule, NotLoaded, Sandbox, SandboxConfig,
    compile_child_main,
};

const TIMEOUT: Duration = Duration::from_secs(60);

/// A test, by its name.
type Test = (&'static str, fn() -> BoxFuture<'static, ()>);

const TESTS: [Test; 6] = [
    ("a_child_compiles_and_refuses", || a_child_compiles_and_refuses().boxed()),
    ("a_child_that_somebody_kills_is_the_hosts_fault_and_is_tried_again", || {
        a_child_that_somebody_kills_is_the_hosts_fault_and_is_tried_again().boxed()
    }),
    ("what_a_childs_own_limits_do_is_the_modules_fault_and_remembered", || {
        what_a_childs_own_limits_do_is_the_modules_fault_and_remembered().boxed()
    }),
    ("many_versions_of_one_module_hold_up_no_other", || {
        many_versions_of_one_module_hold_up_no_other().boxed()
    }),
    ("a_child_has_its_pipes_and_its_limits_and_nothing_else", || {
        a_child_has_its_pipes_and_its_limits_and_nothing_else().boxed()
    }),
    ("a_child_ends_with_its_host", || a_child_ends_with_its_host().boxed()),
];

fn main() -> ExitCode {
    let argument = std::env::args().nth(1);
    if argument.as_deref() == Some(COMPILE_SUBCOMMAND) {
        return compile_child_main();
    }
    let wanted = argument.filter(|argument| !argument.starts_with('-')).unwrap_or_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    for (name, test) in TESTS.iter().filter(|(name, _)| name.contains(&*wanted)) {
        eprintln!("test {name}");
        runtime.block_on(async { timeout(TIMEOUT, test()).await }).unwrap();
    }
    ExitCode::SUCCESS
}

fn this_program() -> PathBuf {
    std::env::current_exe().unwrap()
}

fn sandbox(exe: PathBuf) -> Sandbox {
    let config = SandboxConfig::new(4, Compiler::Child { exe });
    Sandbox::new(config, tokio::runtime::Handle::current()).unwrap()
}

/// A compiler that first runs a command in `dir`, and then compiles.
fn script(dir: &Path, first: &str) -> PathBuf {
    let path = dir.join("compiler");
    let dir = dir.display();
    let program = this_program();
    let text = format!("#!/bin/sh\ncd {dir}\n{first}\nexec {} {COMPILE_SUBCOMMAND}\n", program.display());
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    path
}

fn hello() -> Bytes {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guest-examples/target/wasm32-wasip2/release");
    fs::read(dir.join("hello.wasm")).unwrap().into()
}

fn digest(number: u8) -> Digest {
    Digest::from_bytes([number; 32])
}

async fn a_child_compiles_and_refuses() {
    let sandbox = sandbox(this_program());
    let wasm = hello();
    let module = sandbox.load(digest(1), wasm.clone()).await.unwrap();
    assert_eq!(module.manifest().unwrap().tasks.len(), 1);
    let cut = sandbox.load(digest(2), wasm.slice(..wasm.len() / 2)).await;
    assert!(matches!(&cut, Err(LoadError::NotAComponent(text)) if text.contains("cut off")), "{cut:?}");
}

async fn a_child_that_somebody_kills_is_the_hosts_fault_and_is_tried_again() {
    for death in ["kill -KILL $$", "kill -TERM $$", "exit 1", "kill -ABRT $$", "printf cut; exit 0"] {
        let dir = tempfile::tempdir().unwrap();
        let sandbox = sandbox(script(dir.path(), &format!("[ -e once ] || {{ : > once; {death}; }}")));
        let error = sandbox.load(digest(1), hello()).await.unwrap_err();
        assert!(matches!(&error, LoadError::Host(_)), "{death}: {error}");
        let path = dir.path().display().to_string();
        assert!(!error.to_string().contains(&path), "the path of the program is not in the error: {error}");
        sandbox.load(digest(1), hello()).await.unwrap();
    }
    let none = sandbox("/no/such/program".into()).load(digest(1), hello()).await.unwrap_err();
    assert!(matches!(&none, LoadError::Host(text) if !text.contains("/no/such")), "{none}");
}

async fn what_a_childs_own_limits_do_is_the_modules_fault_and_remembered() {
    for death in ["kill -XCPU $$", "echo 'memory allocation of 99999 bytes failed' >&2; kill -ABRT $$"] {
        let dir = tempfile::tempdir().unwrap();
        let sandbox = sandbox(script(dir.path(), &format!("[ -e once ] || {{ : > once; {death}; }}")));
        let first = sandbox.load(digest(1), hello()).await.unwrap_err();
        assert!(matches!(&first, LoadError::Compile(text) if text.contains("more than")), "{death}: {first}");
        assert_eq!(sandbox.load(digest(1), hello()).await.unwrap_err(), first);
    }
}

async fn many_versions_of_one_module_hold_up_no_other() {
    let dir = tempfile::tempdir().unwrap();
    // The compiler hangs at the short versions of the module, which are no components, and compiles anything else.
    let hang =
        "cat > wasm.$$; [ $(wc -c < wasm.$$) -gt 1000 ] || { : > hangs; exec sleep 600; }; exec < wasm.$$";
    let sandbox = sandbox(script(dir.path(), hang));
    let load = async |module: &str, number: u8, wasm: Bytes| {
        let module = ModuleName::parse(module).unwrap();
        sandbox.load_version(&module, digest(number), async { Ok::<_, ()>(wasm) }).await
    };
    let endless = || Bytes::from_static(b"\0asm\x0d\0\x01\0");
    let versions = join_all((0..20).map(|number| load("many", number, endless())));
    let other = async {
        while !dir.path().join("hangs").exists() {
            sleep(Duration::from_millis(5)).await;
        }
        load("other", 100, hello()).await
    };
    let loaded: Result<std::sync::Arc<LoadedModule>, NotLoaded<()>> = tokio::select! {
        _ = versions => panic!("nothing ends them"),
        loaded = other => loaded,
    };
    assert_eq!(loaded.unwrap().manifest().unwrap().tasks.len(), 1);
}

/// Starts a compiling child, which waits for its component.
fn waiting_child(command: &str) -> Child {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", command]).arg(this_program()).arg(COMPILE_SUBCOMMAND);
    shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

async fn a_child_has_its_pipes_and_its_limits_and_nothing_else() {
    // The shell leaves a descriptor open, as whoever starts a host may do.
    let mut child = waiting_child(r#"exec 9</dev/null; exec "$0" "$1""#);
    let process = PathBuf::from(format!("/proc/{}", child.id()));
    let limits = loop {
        let limits = fs::read_to_string(process.join("limits")).unwrap();
        // This is the last limit that the child sets.
        if row(&limits, "Max processes") == ["0", "0"] {
            break limits;
        }
        assert!(child.try_wait().unwrap().is_none(), "{limits}");
        sleep(Duration::from_millis(5)).await;
    };
    assert_eq!(row(&limits, "Max open files"), ["3", "3"]);
    assert_eq!(row(&limits, "Max address space"), ["2147483648", "2147483648"]);
    assert_eq!(row(&limits, "Max file size"), ["0", "0"]);
    assert_eq!(row(&limits, "Max core file size"), ["0", "0"]);
    // At the first the kernel sends the signal by which the parent knows the limit, at the second it kills. Were they
    // the same, the parent could not tell why its child ended.
    assert_eq!(row(&limits, "Max cpu time"), ["60", "65"]);
    let open: Vec<_> =
        fs::read_dir(process.join("fd")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(open.len(), 3, "{open:?}");
    let nice = |process: &Path| stat(process, 19).parse::<i32>().unwrap();
    let own = nice(Path::new("/proc/self"));
    // Linux takes more than 19 as 19.
    assert_eq!(nice(&process), (own + 5).min(19), "it gives way to others");
    let cores = std::thread::available_parallelism().unwrap().get().min(4);
    assert_eq!(
        stat(&process, 20),
        (1 + cores).to_string(),
        "a thread a core, which are there before the limits"
    );
    child.kill().unwrap();
    child.wait().unwrap();
}

/// A field of `/proc/PID/stat` behind the name of the program, by its number in proc(5).
fn stat(process: &Path, number: usize) -> String {
    let stat = fs::read_to_string(process.join("stat")).unwrap();
    // The name of the program stands in brackets, and may have spaces and brackets in it.
    let after_name = stat.rsplit(')').next().unwrap();
    after_name.split_whitespace().nth(number - 3).unwrap().to_owned()
}

/// The two values in a row of `/proc/PID/limits`.
fn row<'a>(limits: &'a str, name: &str) -> [&'a str; 2] {
    let row = limits.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    let mut words = row.split_whitespace();
    [words.next().unwrap(), words.next().unwrap()]
}

async fn a_child_ends_with_its_host() {
    // The test keeps the child's standard input open, so that the child does not end for lack of input.
    let mut host = waiting_child(r#"exec 3<&0; "$0" "$1" <&3 & echo $! >&2; wait"#);
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(host.stderr.take().unwrap()));
    let child = PathBuf::from(format!("/proc/{}", lines.next().unwrap().unwrap()));
    while row(&fs::read_to_string(child.join("limits")).unwrap(), "Max processes") != ["0", "0"] {
        sleep(Duration::from_millis(5)).await;
    }
    host.kill().unwrap();
    while fs::read_to_string(child.join("stat")).is_ok_and(|stat| !stat.contains(") Z")) {
        sleep(Duration::from_millis(5)).await;
    }
    host.wait().unwrap();
}
