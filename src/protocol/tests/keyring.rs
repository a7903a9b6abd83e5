//! First keys: made once, however many want them.

use futures_util::future::join_all;

use super::{House, root};
use crate::domain::client::SigningAlgorithm;
use crate::domain::client::SigningAlgorithm::{Es256, Rs256};
use crate::provider::Idp;

async fn kid(idp: &Idp, algorithm: SigningAlgorithm) -> String {
    idp.signing_key(&root(), algorithm).await.unwrap().id().to_string()
}

#[tokio::test]
async fn of_many_who_want_a_first_key_one_makes_it() {
    let house = House::new().await;
    let idp = house.idp.idp();
    let before = idp.db().writes();
    let kids = join_all((0..16).map(|_| kid(idp, Rs256))).await;
    assert_eq!(idp.db().writes() - before, 1);
    assert!(kids.iter().all(|kid| *kid == kids[0]));
}

/// A node that comes second has what the other made, even if it has just looked and seen none.
#[tokio::test]
async fn of_two_nodes_one_makes_the_key() {
    let house = House::new().await;
    let two = house.idp.node().await;
    let nodes = [house.idp.idp(), two.idp()];
    for algorithm in [Rs256, Es256] {
        let kids = join_all(nodes.map(|node| kid(node, algorithm))).await;
        assert_eq!(kids[0], kids[1]);
        assert_eq!(kid(nodes[0], algorithm).await, kids[0]);
    }
}
