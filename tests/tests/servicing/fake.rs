//! The payments that `cargo dev --fake-payments` makes up arrive as real ones do.

use std::collections::BTreeSet;

use backend::http::layers;
use local::fake_payments::FakePayments;
use serde_json::Value;
use tests::{Api, ApiOptions};

#[tokio::test]
async fn made_up_payments_arrive_by_the_hooks_and_repay_a_loan() {
    let api = Api::with(ApiOptions { demo: true, ..ApiOptions::default() }).await;
    let router = layers::serve(local::api::router(), api.app.clone());
    let mut fake = FakePayments::start(router.clone(), 1).await.unwrap();
    while fake.send().await.unwrap().is_some() {}
    let admin = api.admin("the.admin").await;
    let payments = admin.walk("/api/payments?source=fake-vnd").await;
    let texts = |name: &str| payments.iter().filter_map(|it| it[name].as_str()).collect::<BTreeSet<_>>();
    // The one loan that is disbursed is repaid in the end. What was mistyped waits.
    assert!(texts("state").is_subset(&["applied", "unapplied"].into()), "{payments:?}");
    assert_eq!(texts("matched_by"), ["pay_ref"].into());
    let applied: u64 = payments.iter().map(|it| it["applied"].as_str().unwrap().parse::<u64>().unwrap()).sum();
    assert!(applied >= 8400, "{applied}");
    assert!(payments.iter().all(|it| it["conflicts"] == Value::Array(Vec::new())), "{payments:?}");
    assert_eq!(stats::check(&api.app.db, &api.app.zone).await.unwrap(), []);

    // A later run has hooks of its own at the same source, if there is a loan.
    let mut again = FakePayments::start(router, 2).await.unwrap();
    assert_eq!(again.send().await.unwrap(), None);
}
