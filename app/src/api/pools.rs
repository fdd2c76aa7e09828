//! Pools, quotas, addresses, names, the balancer; packages and middleware.

use super::ask::Ask;
use super::fault::Said;
use super::form::{DeleteForm, HostForm, PackageForm, PoolForm, QuotaForm, RangeForm};
use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, PostUrl};
use padis_domain::view::*;
use padis_domain::words::Stage;
#[cfg(feature = "ssr")]
use {super::call, leptos::server_fn::ServerFn};

/// Packages of the caller's teams, newest first.
#[server(name = GetPackages, protocol = Ask<GetUrl>, prefix = "/api", endpoint = "packages")]
pub async fn packages(q: ListQuery) -> Said<Page<PackageRow>> {
    let (c, portal) = call::begin()?;
    call::tell(portal.packages(&c, &q).await)
}

/// One package.
#[server(name = GetPackage, protocol = Ask<GetUrl>, prefix = "/api", endpoint = "package")]
pub async fn package(sha256: String) -> Said<PackageRow> {
    let (c, portal) = call::begin()?;
    call::tell(portal.package(&c, &sha256).await)
}

/// Delete a package that nothing uses.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "delete_package")]
pub async fn delete_package(#[server(flatten)] form: PackageForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async { portal.delete_package(&c, &form.team, &form.sha256).await }.await;
    call::settle(DeletePackage::PATH, &c, &form, said, Some("/packages".to_owned()))
}

/// Standard middleware.
#[server(name = GetStacks, protocol = Ask<GetUrl>, prefix = "/api", endpoint = "stacks")]
pub async fn stacks() -> Said<Vec<StackView>> {
    let (c, portal) = call::begin()?;
    call::tell(portal.stacks(&c).await)
}

/// Pools with what is left.
#[server(name = GetPools, protocol = Ask<GetUrl>, prefix = "/api", endpoint = "pools")]
pub async fn pools(stage: Option<Stage>) -> Said<Vec<PoolRow>> {
    let (c, portal) = call::begin()?;
    call::tell(portal.pools(&c, stage).await)
}

/// One pool.
#[server(name = GetPool, protocol = Ask<GetUrl>, prefix = "/api", endpoint = "pool")]
pub async fn pool(name: String) -> Said<PoolView> {
    let (c, portal) = call::begin()?;
    call::tell(portal.pool(&c, &name).await)
}

/// Creates or changes a pool.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "put_pool")]
pub async fn put_pool(#[server(flatten)] form: PoolForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async { portal.put_pool(&c, &form.read()?, form.seen()?, &form.once).await }.await;
    call::settle(PutPool::PATH, &c, &form, said, Some(super::pool_path(&form.name)))
}

/// Deletes an empty pool.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "delete_pool")]
pub async fn delete_pool(#[server(flatten)] form: DeleteForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async { portal.delete_pool(&c, &form.name, form.confirm.trim()).await }.await;
    call::settle(DeletePool::PATH, &c, &form, said, Some("/pools".to_owned()))
}

/// Takes a host out of service.
#[server(name = PutHostOut, protocol = Ask<PostUrl>, prefix = "/api", endpoint = "host_out")]
pub async fn host_out(#[server(flatten)] form: HostForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async { portal.host_out(&c, &form.host, form.reason.trim()).await }.await;
    call::settle(PutHostOut::PATH, &c, &form, said, Some(super::pool_path(&form.pool)))
}

/// Puts a host back into service.
#[server(name = PutHostBack, protocol = Ask<PostUrl>, prefix = "/api", endpoint = "host_back")]
pub async fn host_back(#[server(flatten)] form: HostForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async { portal.host_back(&c, &form.host).await }.await;
    call::settle(PutHostBack::PATH, &c, &form, said, None)
}

/// Sets a team's quota in a pool; all zero takes it away.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "put_quota")]
pub async fn put_quota(#[server(flatten)] form: QuotaForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async { portal.put_quota(&c, &form.pool, &form.team, &form.read()?).await }.await;
    call::settle(PutQuota::PATH, &c, &form, said, None)
}

/// The pool's subnet as a map.
#[server(name = GetAddresses, protocol = Ask<GetUrl>, prefix = "/api", endpoint = "addresses")]
pub async fn addresses(pool: String) -> Said<AddressMap> {
    let (c, portal) = call::begin()?;
    call::tell(portal.addresses(&c, &pool).await)
}

/// Reserves a range with a reason; answers how many.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "reserve")]
pub async fn reserve(#[server(flatten)] form: RangeForm) -> Said<u32> {
    let (c, portal) = call::begin()?;
    let said = async { portal.reserve(&c, &form.pool, form.from.trim(), form.last(), form.reason.trim()).await }.await;
    call::settle(Reserve::PATH, &c, &form, said, None)
}

/// Frees reserved addresses in a range; answers how many.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "unreserve")]
pub async fn unreserve(#[server(flatten)] form: RangeForm) -> Said<u32> {
    let (c, portal) = call::begin()?;
    let said = async { portal.unreserve(&c, &form.pool, form.from.trim(), form.last()).await }.await;
    call::settle(Unreserve::PATH, &c, &form, said, None)
}

/// Names.
#[server(name = GetNames, protocol = Ask<GetUrl>, prefix = "/api", endpoint = "names")]
pub async fn names(q: ListQuery) -> Said<Page<NameRow>> {
    let (c, portal) = call::begin()?;
    call::tell(portal.names(&c, &q).await)
}

/// The balancer's services as last observed.
#[server(name = GetBalancer, protocol = Ask<GetUrl>, prefix = "/api", endpoint = "balancer")]
pub async fn balancer() -> Said<BalancerView> {
    let (c, portal) = call::begin()?;
    call::tell(portal.balancer(&c).await)
}
