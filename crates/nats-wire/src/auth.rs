//! The credentials that a connection signs in with.

use std::fmt;
use std::path::PathBuf;

/// The credentials that a connection signs in with. Their [`Debug`](fmt::Debug) form shows no secret.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Auth {
    /// No credentials.
    #[default]
    None,
    /// A token.
    Token(String),
    /// A user and a password.
    UserPassword {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// An nkey, by its seed.
    NkeySeed(String),
    /// An nkey, by a file with its seed, which is read at each connect.
    NkeyFile(PathBuf),
    /// A JWT and the seed of its key, by a file as `nsc` writes it, which is read at each connect.
    CredsFile(PathBuf),
    /// A JWT and the seed of its key.
    Jwt {
        /// The JWT.
        jwt: String,
        /// The seed.
        seed: String,
    },
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Token(_) => "Token(..)",
            Self::UserPassword { .. } => "UserPassword(..)",
            Self::NkeySeed(_) => "NkeySeed(..)",
            Self::NkeyFile(_) => "NkeyFile(..)",
            Self::CredsFile(_) => "CredsFile(..)",
            Self::Jwt { .. } => "Jwt(..)",
        })
    }
}
