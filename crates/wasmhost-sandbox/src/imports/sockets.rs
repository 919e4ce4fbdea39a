//! The ways to a socket, in place of the engine's own: none is ever made, and the attempt is remembered.

use wasmtime::component::{HasSelf, Linker, Resource};
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddressFamily};
use wasmtime_wasi::p2::bindings::sockets::{network, tcp_create_socket, udp_create_socket};
use wasmtime_wasi::p2::{IoError, Network, SocketError, SocketResult, TcpSocket, UdpSocket};

use crate::guest::Guest;
use crate::powers::Denials;

pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    tcp_create_socket::add_to_linker::<_, HasSelf<Denials>>(linker, Guest::denials)?;
    udp_create_socket::add_to_linker::<_, HasSelf<Denials>>(linker, Guest::denials)
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

/// Both interfaces need the network's error codes, and nothing else of it.
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
