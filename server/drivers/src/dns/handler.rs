//! From a question on the wire to an answer on the wire.
//!
//! One could get it wrong by being helpful: recursion, other people's zones and
//! zone transfers are all refused, so that the server can't be used to amplify
//! an attack or to list what runs here.

use super::names::{Answer, Names};
use hickory_proto::op::{Edns, Metadata, OpCode, ResponseCode};
use hickory_proto::rr::{DNSClass, Record, RecordType};
use hickory_server::net::runtime::Time;
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::zone_handler::MessageResponseBuilder;
use std::sync::{Arc, PoisonError, RwLock};

/// The largest UDP answer: what fits into one packet everywhere (DNS flag day 2020).
const UDP_BYTES: u16 = 1232;

pub(super) struct Handler(pub Arc<RwLock<Names>>);

struct Reply {
    code: ResponseCode,
    records: Vec<Record>,
    soa: Option<Record>,
}

impl Reply {
    fn code(code: ResponseCode) -> Self {
        Self { code, records: Vec::new(), soa: None }
    }
}

impl Handler {
    fn reply(&self, request: &Request) -> Reply {
        if request.metadata.op_code != OpCode::Query {
            return Reply::code(ResponseCode::NotImp);
        }
        if request.edns.as_ref().is_some_and(|e| e.version() > 0) {
            return Reply::code(ResponseCode::BADVERS);
        }
        let Ok(info) = request.request_info() else { return Reply::code(ResponseCode::FormErr) };
        let kind = info.query.query_type();
        if info.query.query_class() != DNSClass::IN || matches!(kind, RecordType::AXFR | RecordType::IXFR) {
            return Reply::code(ResponseCode::Refused);
        }
        let names = self.0.read().unwrap_or_else(PoisonError::into_inner);
        match names.answer(&info.query.original().name, kind) {
            Answer::Refused => Reply::code(ResponseCode::Refused),
            Answer::Records(records) => Reply { code: ResponseCode::NoError, records, soa: None },
            Answer::NoData(soa) => Reply { code: ResponseCode::NoError, records: Vec::new(), soa: Some(soa) },
            Answer::NoName(soa) => Reply { code: ResponseCode::NXDomain, records: Vec::new(), soa: Some(soa) },
        }
    }
}

#[async_trait::async_trait]
impl RequestHandler for Handler {
    async fn handle_request<R: ResponseHandler, T: Time>(
        &self,
        request: &Request,
        mut response_handle: R,
    ) -> ResponseInfo {
        let reply = self.reply(request);
        let mut metadata = Metadata::response_from_request(&request.metadata);
        metadata.response_code = reply.code;
        metadata.authoritative = matches!(reply.code, ResponseCode::NoError | ResponseCode::NXDomain);
        metadata.recursion_available = false;
        let edns = request.edns.as_ref().map(|asked| {
            let mut edns = Edns::new();
            edns.set_max_payload(asked.max_payload().min(UDP_BYTES));
            edns.set_version(0);
            edns.set_rcode_high(reply.code.high());
            edns
        });
        let builder = MessageResponseBuilder::new(&request.queries, edns.as_ref());
        let none = std::iter::empty::<&Record>;
        let response = builder.build(metadata, reply.records.iter(), none(), reply.soa.iter(), none());
        match response_handle.send_response(response).await {
            Ok(info) => info,
            Err(error) => {
                tracing::debug!(dns.client = %request.src(), %error, "a DNS answer could not be sent");
                ResponseInfo::from(hickory_proto::op::Header { metadata, counts: Default::default() })
            }
        }
    }
}
