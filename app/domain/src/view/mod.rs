//! What the pages show and what their forms send. Plain data; every number has
//! its unit in its name, every time is [`crate::words::UnixMs`], every secret is absent.

mod application;
mod archives;
mod benches;
mod cluster;
mod images;
mod inside;
mod list;
mod making;
mod network;
mod overview;
mod platform;
mod promotions;
mod recipes;
mod retention;
mod standards;
mod stream;
mod tidying;
mod timeline;

pub use application::*;
pub use archives::*;
pub use benches::*;
pub use cluster::*;
pub use images::*;
pub use inside::*;
pub use list::*;
pub use making::*;
pub use network::*;
pub use overview::*;
pub use platform::*;
pub use promotions::*;
pub use recipes::*;
pub use retention::*;
pub use standards::*;
pub use stream::*;
pub use tidying::*;
pub use timeline::*;
