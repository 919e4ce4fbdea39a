//! The credentials of a connection, as they are configured.

use std::fmt;
use std::path::PathBuf;

/// How a connection signs in.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Credentials {
    /// With what the address names before its `@`, or not at all.
    #[default]
    None,
    /// A file with a JWT and its key, as `nsc` writes it.
    CredsFile(PathBuf),
    /// A file with the seed of an nkey.
    Nkey(PathBuf),
    /// The seed of an nkey.
    NkeySeed(String),
    /// A JWT and the seed of its key.
    Jwt {
        /// The JWT.
        jwt: String,
        /// The seed.
        seed: String,
    },
    /// A token.
    Token(String),
    /// A user and a password.
    UserPassword {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::CredsFile(_) => "CredsFile(..)",
            Self::Nkey(_) => "Nkey(..)",
            Self::NkeySeed(_) => "NkeySeed(..)",
            Self::Jwt { .. } => "Jwt(..)",
            Self::Token(_) => "Token(..)",
            Self::UserPassword { .. } => "UserPassword(..)",
        })
    }
}
