use super::*;
use crate::images::{Place, Registries, whole};
use crate::inside::{Inside, Os};
use crate::store::inside;
use padis_domain::ports::Image;
use padis_domain::view::Contained;
use padis_drivers::fake::{FakeRegistry, FakeTransfer};
use std::time::Duration;

#[tokio::test]
async fn the_bill_of_materials_is_a_file_for_those_who_may_see_the_version() {
    let own = Arc::new(FakeRegistry::new());
    let digest = format!("sha256:{:064}", 7);
    let image = Image { digest: digest.clone(), platforms: vec!["linux/amd64".into()], ..Image::default() };
    own.put_image("teams/motor/web", "1.0+x", image);
    let place = Place {
        name: "padis".into(),
        place: "padis".into(),
        stage: None,
        takes: true,
        rules: crate::images::Rules::default(),
        token: None,
        client: own.clone(),
    };
    let transfer = Arc::new(FakeTransfer::new(Default::default()));
    let registries = Arc::new(Registries::new(vec![place], transfer, Duration::from_secs(600)));
    let w = world_of(&[], registries.clone()).await;
    whole(&w.store, &registries.all()[0]).await.expect("a look");
    let (anna, bob) = (w.session("anna").await, w.session("bob").await);
    let path = "/images-sbom/padis/teams/motor/web:1.0%2Bx";
    assert_eq!(w.get(path, &anna).await.status, StatusCode::NOT_FOUND, "it was not read yet");

    let mut tx = w.store.begin().await.expect("a transaction");
    inside::ask(&mut tx, &digest, "padis", "teams/motor/web").await.expect("asked");
    tx.commit().await.expect("committed");
    let packages = vec![Contained { name: "bash".into(), version: "5".into(), ..Contained::default() }];
    let found = Inside { os: Os::default(), packages, files: Vec::new(), notes: Vec::new() };
    inside::put(&w.store, &digest, &found).await.expect("written");

    let a = w.get(path, &anna).await;
    assert_eq!(a.status, StatusCode::OK);
    assert_eq!(a.headers["content-type"], "application/vnd.cyclonedx+json; version=1.6");
    assert_eq!(a.headers["content-disposition"], "attachment; filename=\"teams-motor-web-1.0x.cdx.json\"");
    let bill: serde_json::Value = serde_json::from_slice(&a.body).expect("JSON");
    assert_eq!((&bill["bomFormat"], &bill["components"][0]["name"]), (&"CycloneDX".into(), &"bash".into()));
    for odd in
        ["/images-sbom/padis/teams/motor/web", "/images-sbom/nowhere/teams/motor/web:1.0%2Bx", "/images-sbom/padis/x:y"]
    {
        assert_eq!(w.get(odd, &anna).await.status, StatusCode::NOT_FOUND, "{odd}");
    }
    // Another team learns nothing, not even that it is there.
    let (his, none) = (w.get(path, &bob).await, w.get("/images-sbom/padis/teams/motor/no:1", &bob).await);
    assert_eq!((his.status, &his.body), (StatusCode::NOT_FOUND, &none.body));
    assert!(w.get(path, "").await.to().starts_with("/sign-in"));
}
