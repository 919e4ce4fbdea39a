//! How to sign in to a server: the settings that flags, variables and files name one by one, and which of them fit together.

use std::path::PathBuf;

use wasmhost_nats::{ConnectConfig, Credentials};

/// The server that is connected to where no address is given.
pub const DEFAULT_URL: &str = "nats://127.0.0.1:4222";

/// The settings for signing in, each as it was given. [`Self::into_config`] checks that they fit together.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct SignInSettings {
    /// A file with a JWT and its key, as `nsc` writes it.
    pub creds: Option<PathBuf>,
    /// A file with the seed of an nkey.
    pub nkey: Option<PathBuf>,
    /// The JWT of a user; it needs `seed`.
    pub jwt: Option<String>,
    /// The seed of the key that the JWT names.
    pub seed: Option<String>,
    /// A token.
    pub token: Option<String>,
    /// A user; without `password` it is a token, as it is to the `nats` command line.
    pub user: Option<String>,
    /// The password of `user`.
    pub password: Option<String>,
    /// A file with the certificates of authorities to trust.
    pub tls_ca: Option<PathBuf>,
    /// A file with the client's certificate; it needs `tls_key`.
    pub tls_cert: Option<PathBuf>,
    /// A file with the key of the client's certificate.
    pub tls_key: Option<PathBuf>,
}

/// Settings for signing in that contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// Only one of a JWT and its seed is given.
    #[error("a JWT and its seed need each other")]
    HalfJwt,
    /// A password is given without a user.
    #[error("a password needs a user")]
    PasswordWithoutUser,
    /// More than one way to sign in is given.
    #[error("more than one way to sign in is given")]
    SeveralWays,
    /// Only one of the client's certificate and its key is given.
    #[error("a client certificate and its key need each other")]
    HalfCertificate,
}

impl SignInSettings {
    /// Configures a connection to `url` that signs in with these settings.
    ///
    /// # Errors
    ///
    /// All contradictions between the settings.
    pub fn into_config(self, url: impl Into<String>) -> Result<ConnectConfig, Vec<Contradiction>> {
        let contradictions = self.contradictions();
        if !contradictions.is_empty() {
            return Err(contradictions);
        }
        let mut config = ConnectConfig::new(url);
        config.tls_ca = self.tls_ca.clone();
        config.tls_cert = self.tls_cert.clone();
        config.tls_key = self.tls_key.clone();
        config.credentials = self.ways().into_iter().flatten().next().unwrap_or_default();
        Ok(config)
    }

    fn contradictions(&self) -> Vec<Contradiction> {
        // All are checked, so that a person need not correct one to learn of the next.
        let checks = [
            (self.jwt.is_some() != self.seed.is_some(), Contradiction::HalfJwt),
            (self.password.is_some() && self.user.is_none(), Contradiction::PasswordWithoutUser),
            (self.clone().ways().iter().flatten().count() > 1, Contradiction::SeveralWays),
            (self.tls_cert.is_some() != self.tls_key.is_some(), Contradiction::HalfCertificate),
        ];
        checks.into_iter().filter(|(holds, _)| *holds).map(|(_, contradiction)| contradiction).collect()
    }

    /// The ways to sign in that are given completely.
    fn ways(self) -> [Option<Credentials>; 5] {
        // A pair of which one half is missing is no way to sign in, and is reported on its own.
        let user = match (self.user, self.password) {
            (Some(user), Some(password)) => Some(Credentials::UserPassword { user, password }),
            (Some(token), None) => Some(Credentials::Token(token)),
            (None, Some(_) | None) => None,
        };
        [
            self.creds.map(Credentials::CredsFile),
            self.nkey.map(Credentials::Nkey),
            self.jwt.zip(self.seed).map(|(jwt, seed)| Credentials::Jwt { jwt, seed }),
            self.token.map(Credentials::Token),
            user,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn each_way_alone_signs_in() {
        let connect = |sign_in: SignInSettings| sign_in.into_config(DEFAULT_URL).unwrap().credentials;
        assert!(matches!(connect(SignInSettings::default()), Credentials::None));
        let jwt = SignInSettings { jwt: text("j"), seed: text("s"), ..SignInSettings::default() };
        assert!(matches!(connect(jwt), Credentials::Jwt { jwt, seed } if jwt == "j" && seed == "s"));
        let user = SignInSettings { user: text("u"), ..SignInSettings::default() };
        assert!(matches!(connect(user), Credentials::Token(token) if token == "u"));
    }

    #[test]
    fn all_contradictions_are_named_together() {
        let sign_in = SignInSettings {
            creds: Some("c".into()),
            seed: text("s"),
            token: text("t"),
            password: text("p"),
            tls_key: Some("k".into()),
            ..SignInSettings::default()
        };
        let all = [
            Contradiction::HalfJwt,
            Contradiction::PasswordWithoutUser,
            Contradiction::SeveralWays,
            Contradiction::HalfCertificate,
        ];
        assert_eq!(sign_in.into_config(DEFAULT_URL).unwrap_err(), all);
    }
}
