//! What happens between browser and server, in words.

use super::Texts;
use super::problem::Said;
use crate::api::Fault;

impl Texts {
    /// Why a server function gave no answer.
    pub fn trouble(&self, f: &Fault) -> Said {
        let said = |what: &'static str, next: &'static str| Said {
            what: what.to_owned(),
            next: next.to_owned(),
            incident: None,
        };
        match f {
            Fault::Portal(p) => self.problem(p),
            Fault::ConnectionLost => said(
                self.pick("与 Padis 的连接中断。", "The connection to Padis was lost."),
                self.pick("您填写的内容仍在页面上，请稍后重试。", "What you typed is still here. Try again in a moment."),
            ),
            Fault::OutOfDate => said(
                self.pick("页面与服务器的版本不一致。", "This page is older than the server."),
                self.pick("请重新载入页面后再试。", "Load the page again, then try once more."),
            ),
        }
    }
}
