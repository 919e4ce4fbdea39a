//! `wasi:sockets` without sockets: the functions here replace those of the engine that make a socket or look a name up.
//! Each call is denied and remembered.

use wasmtime::component::{HasSelf, Linker, Resource};
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup::{self, ResolveAddressStream};
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddress, IpAddressFamily};
use wasmtime_wasi::p2::bindings::sockets::{network, tcp_create_socket, udp_create_socket};
use wasmtime_wasi::p2::{DynPollable, IoError, Network, SocketError, SocketResult, TcpSocket, UdpSocket};

use crate::guest::Guest;
use crate::powers::Denials;

pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    tcp_create_socket::add_to_linker::<_, HasSelf<Denials>>(linker, Guest::denials)?;
    udp_create_socket::add_to_linker::<_, HasSelf<Denials>>(linker, Guest::denials)?;
    ip_name_lookup::add_to_linker::<_, HasSelf<Denials>>(linker, Guest::denials)
}

impl ip_name_lookup::Host for Denials {
    fn resolve_addresses(
        &mut self,
        _: Resource<Network>,
        name: String,
    ) -> SocketResult<Resource<ResolveAddressStream>> {
        self.note(&format!("sockets lookup {name}"));
        Err(ErrorCode::AccessDenied.into())
    }
}

/// No lookup ever returns a stream, so that these are never called.
impl ip_name_lookup::HostResolveAddressStream for Denials {
    fn resolve_next_address(&mut self, _: Resource<ResolveAddressStream>) -> SocketResult<Option<IpAddress>> {
        Err(ErrorCode::InvalidState.into())
    }

    fn subscribe(&mut self, _: Resource<ResolveAddressStream>) -> wasmtime::Result<Resource<DynPollable>> {
        Err(wasmtime::Error::msg("no such lookup"))
    }

    fn drop(&mut self, _: Resource<ResolveAddressStream>) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl tcp_create_socket::Host for Denials {
    fn create_tcp_socket(&mut self, _: IpAddressFamily) -> SocketResult<Resource<TcpSocket>> {
        self.note("sockets tcp");
        Err(ErrorCode::AccessDenied.into())
    }
}

impl udp_create_socket::Host for Denials {
    async fn create_udp_socket(&mut self, _: IpAddressFamily) -> SocketResult<Resource<UdpSocket>> {
        self.note("sockets udp");
        Err(ErrorCode::AccessDenied.into())
    }
}

/// The three interfaces need the error codes of `network`, and nothing else of it.
impl network::Host for Denials {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<ErrorCode> {
        error.downcast()
    }

    fn network_error_code(&mut self, _: Resource<IoError>) -> wasmtime::Result<Option<ErrorCode>> {
        Ok(None)
    }
}

impl network::HostNetwork for Denials {
    fn drop(&mut self, _: Resource<Network>) -> wasmtime::Result<()> {
        Ok(())
    }
}
