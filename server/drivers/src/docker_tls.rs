//! The client library's way to an engine over TLS, in place of its own, which trusts what the
//! machine trusts beside the authorities that are given, and knows no connection without a
//! certificate of ours.
//!
//! One could get it wrong by leaving the connection to a pool: in TLS 1.3 a server judges our
//! certificate when the connection is open already, and closes it then. If that comes before
//! the request is handed over, the pool only knows that there is no connection. Here each
//! request has a connection of its own (an engine that was restarted would be met by a dead
//! one), and what became of the connection is what is said.

use crate::http::CONNECT;
use bollard::BollardRequest;
use bollard::errors::Error;
use http::header::HOST;
use http::{HeaderValue, Response, Uri};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::io;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// There was no connection: nobody can have heard the request.
#[derive(Debug, thiserror::Error)]
#[error("no connection")]
pub(crate) struct Unreached(#[source] io::Error);

/// An engine at `https://host:port`.
#[derive(Clone)]
pub(crate) struct Secure {
    tls: TlsConnector,
    at: (String, u16),
    name: ServerName<'static>,
    host: HeaderValue,
}

impl Secure {
    /// Nobody is contacted yet.
    pub(crate) fn new(url: &str, tls: ClientConfig) -> Result<Self, Error> {
        let odd = || io::Error::from(io::ErrorKind::InvalidInput);
        let uri: Uri = url.parse()?;
        let authority = uri.authority().ok_or_else(odd)?;
        let name = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self {
            tls: TlsConnector::from(Arc::new(tls)),
            at: (name.clone(), authority.port_u16().unwrap_or(443)),
            name: ServerName::try_from(name).map_err(io::Error::other)?,
            host: HeaderValue::from_str(authority.as_str()).map_err(io::Error::other)?,
        })
    }

    async fn connect(&self) -> io::Result<TlsStream<TcpStream>> {
        let connect = async {
            let tcp = TcpStream::connect((self.at.0.as_str(), self.at.1)).await?;
            tcp.set_nodelay(true)?;
            self.tls.connect(self.name.clone(), tcp).await
        };
        tokio::time::timeout(CONNECT, connect).await.unwrap_or_else(|late| Err(io::Error::other(late)))
    }

    /// Sends a request; the connection is the answer's, also when that becomes another protocol.
    pub(crate) async fn send(self, mut request: BollardRequest) -> Result<Response<Incoming>, Error> {
        let stream = self.connect().await.map_err(|e| io::Error::other(Unreached(e)))?;
        let path = request.uri().path_and_query().map_or("/", |p| p.as_str()).parse()?;
        *request.uri_mut() = path;
        request.headers_mut().entry(HOST).or_insert(self.host);
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let (tell, told) = oneshot::channel();
        tokio::spawn(async move {
            if let Err(error) = connection.with_upgrades().await {
                // Whoever has an answer does not listen any more.
                let _heard = tell.send(error);
            }
        });
        match sender.send_request(request).await {
            Err(error) if error.is_canceled() => Err(told.await.unwrap_or(error).into()),
            answer => Ok(answer?),
        }
    }
}
