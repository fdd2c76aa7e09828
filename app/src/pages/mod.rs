//! The screens by area. Each is: address → resources created in setup → section
//! functions that return `AnyView`. What a colleague may want to be sent lives in
//! the address.

mod account;
mod activity;
mod addresses;
mod admin;
pub mod application;
mod applications;
mod balancers;
mod cluster;
mod images;
mod kit;
mod middleware;
mod names;
mod new_application;
mod overview;
mod packages;
pub mod parts;
mod pools;
mod release;
mod said;
mod search;
mod sign_in;
#[cfg(feature = "ssr")]
mod terminal;
#[cfg(feature = "ssr")]
pub mod write;
pub mod written;

pub use account::Account;
pub use activity::{Centre, Journal, Work};
pub use addresses::{AddressMap, Addresses};
pub use admin::{People, Sessions, Systems, Teams};
pub use applications::Applications;
pub use balancers::Balancers;
pub use cluster::Cluster;
pub use images::Images;
pub use kit::Kit;
pub use middleware::Middleware;
pub use names::Names;
pub use new_application::NewApplication;
pub use overview::Overview;
pub use packages::{Package, Packages};
pub use pools::{Pool, PoolEdit, PoolNew, Pools};
pub use release::Release;
pub use said::{fault, fault_notice, field_error, page, said, waiting};
pub use search::Search;
pub use sign_in::SignIn;
#[cfg(feature = "ssr")]
pub use terminal::document as terminal_page;
