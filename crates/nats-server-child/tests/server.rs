//! The library with a real nats-server, which is found, started, killed, restarted, stopped and dropped.

use std::{
    io::{BufRead, BufReader},
    net::TcpStream,
    path::Path,
};

use nats_server_child::{Finder, Options, Server, StartError};
use wasmhost_testing::{finder, nats_server, start_server};

/// The `INFO` line with which a server greets.
fn greeting(port: u16) -> std::io::Result<String> {
    let mut line = String::new();
    BufReader::new(TcpStream::connect(("127.0.0.1", port))?).read_line(&mut line)?;
    Ok(line)
}

#[test]
fn a_started_server_greets_with_jetstream() {
    let server = start_server(&Options::default());
    assert_eq!(server.url(), format!("nats://127.0.0.1:{}", server.port()));
    let greeting = greeting(server.port()).unwrap();
    assert!(greeting.starts_with("INFO ") && greeting.contains(r#""jetstream":true"#), "{greeting}");
    assert!(server.log_tail().contains("Server is ready"), "{}", server.log_tail());
}

#[test]
fn jetstream_can_be_left_off() {
    let server = start_server(&Options::default().without_jetstream());
    assert!(!greeting(server.port()).unwrap().contains(r#""jetstream":true"#));
}

#[cfg(target_os = "linux")]
#[test]
fn a_wrapper_becomes_the_server_whenever_it_is_started() {
    let wrapper = ["env", "WRAPPED=in paper"].map(Into::into);
    let mut server = start_server(&Options::default().wrapper(wrapper));
    let environment = |server: &Server| std::fs::read(format!("/proc/{}/environ", server.pid())).unwrap();
    let is_wrapped =
        |server: &Server| String::from_utf8_lossy(&environment(server)).contains("WRAPPED=in paper");
    assert!(is_wrapped(&server) && greeting(server.port()).is_ok());
    server.restart().unwrap();
    assert!(is_wrapped(&server) && greeting(server.port()).is_ok());
}

#[test]
fn a_killed_server_restarts_on_its_port() {
    let mut server = start_server(&Options::default());
    let port = server.port();
    let pid = server.pid();
    server.kill().unwrap();
    assert!(greeting(port).is_err());
    server.restart().unwrap();
    assert_eq!(server.port(), port);
    assert_ne!(server.pid(), pid);
    greeting(port).unwrap();
}

#[test]
fn a_stopped_server_is_gone_and_keeps_its_store() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = start_server(&Options::default().store(dir.path()));
    let port = server.port();
    server.stop().unwrap();
    server.stop().unwrap();
    assert!(greeting(port).is_err());
    assert!(server.log_tail().contains("Server Exiting"), "{}", server.log_tail());
    drop(server);
    assert!(dir.path().join("nats-server.log").exists());
}

#[test]
fn a_dropped_server_leaves_neither_process_nor_files() {
    let server = start_server(&Options::default());
    let port = server.port();
    let store = server.store().to_owned();
    drop(server);
    assert!(greeting(port).is_err());
    assert!(!store.exists());
}

#[test]
fn a_wrong_configuration_is_an_error_with_the_log() {
    let options = Options::default().extra_config("no_such_key: 1");
    let error = Server::start(&nats_server(), &options).unwrap_err();
    assert!(matches!(&error, StartError::Ended { log, .. } if log.contains("no_such_key")), "{error}");
}

#[test]
fn an_old_server_is_passed_over_with_a_note() {
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/old-nats-server");
    let found = Finder { explicit: Some(old.clone()), ..finder() }.find().unwrap();
    assert_ne!(found.path, old);
    assert!(found.notes[0].contains("is 2.10.1, too old"), "{:?}", found.notes);
}

#[test]
fn where_none_is_found_all_places_and_the_fix_are_named() {
    let nowhere = tempfile::tempdir().unwrap();
    let finder = Finder {
        explicit: Some("/no/such/server".into()),
        environment: Some("/bin/true".into()),
        search_path: Some(nowhere.path().into()),
        tools_dir: Some(nowhere.path().to_owned()),
    };
    let error = finder.find().unwrap_err().to_string();
    let expected = [
        "/no/such/server (as named) does not run",
        "/bin/true (from the environment) is not",
        "no nats-server on PATH",
        "(in the tools directory)",
        "cargo xtask tools",
        "go install",
    ];
    for part in expected {
        assert!(error.contains(part), "{part:?} is missing in {error}");
    }
}
