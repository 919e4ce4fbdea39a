//! Contexts of the `nats` command line: files that say where a server is and how to sign in. A context is read only where it
//! is named. The one that `nats context select` chose is left alone, so that no host serves a server by accident.

use std::env;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use wasmhost_client::SignInSettings;
use wasmhost_nats::Credentials;
use wasmhost_protocol::text::escape;

use super::flag_values::parse_url;
use super::secret;
use crate::error::suggestion::suggestion;
use crate::error::{CliError, Exit};
use crate::local::input;

/// What a context says of the connection. Its other fields do not matter here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Context {
    pub(crate) url: String,
    token: String,
    user: String,
    password: String,
    creds: String,
    nkey: String,
    user_jwt: String,
    user_seed: String,
    ca: String,
    cert: String,
    key: String,
    pub(crate) tls_first: bool,
    nsc: String,
    socks_proxy: String,
    jetstream_domain: String,
    jetstream_api_prefix: String,
    inbox_prefix: String,
    windows_cert_store: String,
}

impl Context {
    /// Reads the context with this name, or in this file.
    pub(crate) fn load(named: &str) -> Result<Self, CliError> {
        let directory = directory();
        let read = Self::read(named, directory.as_deref());
        read.map_err(|why| refused(format_args!("`{}`: {why}", escape(named))))
    }

    fn read(named: &str, directory: Option<&Path>) -> Result<Self, String> {
        let file = file(named, directory)?;
        let text = input::text(&file).map_err(|cli_error| cli_error.text)?;
        // The parser's own words would repeat a value, which may be a password.
        let context: Self = serde_json::from_str(&text).map_err(|error| {
            format!(
                "{} is no context: see line {}, column {}",
                input::shown(&file),
                error.line(),
                error.column()
            )
        })?;
        context.check()?;
        Ok(context)
    }

    /// Refuses fields that would have no effect, and an address that is none.
    fn check(&self) -> Result<(), String> {
        let unsupported = [
            ("nsc", &self.nsc),
            ("socks_proxy", &self.socks_proxy),
            ("jetstream_domain", &self.jetstream_domain),
            ("jetstream_api_prefix", &self.jetstream_api_prefix),
            ("inbox_prefix", &self.inbox_prefix),
            ("windows_cert_store", &self.windows_cert_store),
        ];
        let set: Vec<_> =
            unsupported.iter().filter(|(_, value)| !value.is_empty()).map(|(name, _)| *name).collect();
        if !set.is_empty() {
            return Err(format!("it has `{}`, which wasmhost does not support", set.join("`, `")));
        }
        if !self.url.is_empty() {
            parse_url(&self.url)?;
        }
        Ok(())
    }

    /// How to sign in. Where there are several ways, it is the one that `nats` takes.
    pub(crate) fn credentials(&self) -> Result<Credentials, CliError> {
        let text = |value: &str| secret::text(value).map_err(|why| refused(format_args!("{why}")));
        let path = |value: &str| secret::path(Path::new(value)).map_err(|why| refused(format_args!("{why}")));
        // In the order in which `nats` looks at them.
        Ok(if !self.user.is_empty() {
            Credentials::UserPassword { user: self.user.clone(), password: text(&self.password)? }
        } else if !self.creds.is_empty() {
            Credentials::CredsFile(path(&self.creds)?)
        } else if !self.nkey.is_empty() {
            Credentials::Nkey(path(&self.nkey)?)
        } else if !self.user_jwt.is_empty() {
            Credentials::Jwt { jwt: text(&self.user_jwt)?, seed: text(&self.user_seed)? }
        } else if !self.token.is_empty() {
            Credentials::Token(text(&self.token)?)
        } else {
            Credentials::None
        })
    }

    /// Adds the files of authorities, certificate and key, where no flag names others.
    pub(crate) fn add_certificates(&self, sign_in: &mut SignInSettings) -> Result<(), CliError> {
        for (file, value) in [
            (&mut sign_in.tls_ca, &self.ca),
            (&mut sign_in.tls_cert, &self.cert),
            (&mut sign_in.tls_key, &self.key),
        ] {
            if !value.is_empty() {
                let path = secret::path(Path::new(value)).map_err(|why| refused(format_args!("{why}")))?;
                file.get_or_insert(path);
            }
        }
        Ok(())
    }
}

fn refused(why: std::fmt::Arguments<'_>) -> CliError {
    CliError::new(Exit::Config, format_args!("context {why} (--context, NATS_CONTEXT)"))
}

/// The directory in which `nats` keeps contexts.
fn directory() -> Option<PathBuf> {
    let directory = |name| env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    let config = directory("XDG_CONFIG_HOME").or_else(|| Some(directory("HOME")?.join(".config")))?;
    Some(config.join("nats/context"))
}

fn file(named: &str, directory: Option<&Path>) -> Result<PathBuf, String> {
    // A file is told from a name by its ending, so that no file in the current directory hides a context.
    if named.ends_with(".json") && Path::new(named).is_file() {
        return Ok(PathBuf::from(named));
    }
    // A name must not lead out of the directory.
    if named.is_empty() || named.contains(['/', '\\']) || named.contains("..") {
        return Err("it is neither a name nor a file that ends with `.json`".to_owned());
    }
    let directory = directory.ok_or("neither XDG_CONFIG_HOME nor HOME says where contexts are")?;
    let file = directory.join(format!("{named}.json"));
    if file.is_file() {
        return Ok(file);
    }
    let entries = directory.read_dir().into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        Some(name.strip_suffix(".json")?.to_owned())
    });
    let mut names: Vec<_> = names.collect();
    names.sort();
    let near = suggestion(named, names.iter().map(String::as_str));
    Err(format!("there is no {}{near}", input::shown(&file)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Context, String> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("mine.json"), text).unwrap();
        Context::read("mine", Some(directory.path()))
    }

    #[test]
    fn a_context_says_where_and_who() {
        let context =
            read(r#"{"url":"n:1,m","user":"ada","password":"x","creds":"/c","color_scheme":"","new":[1]}"#);
        let context = context.unwrap();
        assert_eq!(context.url, "n:1,m");
        assert!(matches!(context.credentials().unwrap(), Credentials::UserPassword { .. }), "as nats has it");
        let context =
            read(r#"{"token":"env://NOT_SET_ANYWHERE","ca":"file:///ca.pem","tls_first":true}"#).unwrap();
        let error = context.credentials().unwrap_err();
        assert!(error.exit == Exit::Config && error.text.contains("NOT_SET_ANYWHERE"), "{}", error.text);
        let mut sign_in = SignInSettings::default();
        context.add_certificates(&mut sign_in).unwrap();
        assert_eq!(sign_in.tls_ca, Some(PathBuf::from("/ca.pem")));
        assert_eq!((&sign_in.tls_cert, &sign_in.tls_key), (&None, &None));
        assert!(context.tls_first);
    }

    #[test]
    fn what_cannot_be_kept_of_a_context_is_refused() {
        for (text, said) in [
            (r#"{"url":"ws://n"}"#, "`ws://n` is no address"),
            (r#"{"socks_proxy":"p:1","inbox_prefix":"_X"}"#, "`socks_proxy`, `inbox_prefix`"),
            ("{\n\"password\":4711}", "mine.json is no context: see line 2, column 15"),
            ("user: ada", "is no context"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(said) && !error.contains("4711"), "{text}: {error}");
        }
    }

    #[test]
    fn a_name_that_is_none_is_told_with_the_nearest() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("staging.json"), "{}").unwrap();
        let error = Context::read("stagign", Some(directory.path())).unwrap_err();
        assert!(error.contains("did you mean `staging`?"), "{error}");
        for bad in ["", "..", "a/b", "/no/such.json"] {
            assert!(
                Context::read(bad, Some(directory.path())).unwrap_err().contains("neither a name"),
                "{bad}"
            );
        }
        let file = directory.path().join("staging.json").display().to_string();
        assert!(Context::read(&file, None).is_ok());
    }
}
