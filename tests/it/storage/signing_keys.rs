//! Signing keys that only some clients use: they leave and come back, as long as they have no successor.

use vestibule::domain::client::SigningAlgorithm::{Ed25519, EdDsa, Rs256};
use vestibule::domain::ids::IssuerId;
use vestibule::storage::keys::{self, StoredKey};

use super::rows::{NOW, keep};
use super::tenants::key;
use super::{on_each, read, write};

#[tokio::test]
async fn a_key_leaves_only_while_it_has_no_successor() {
    on_each(async |db| {
        let root = keep(IssuerId::root());
        let standard = keep(key(root, "rsa", Rs256));
        let first = keep(key(root, "first", Ed25519));
        let second = keep(StoredKey { generation: 1, ..key(root, "second", Ed25519) });
        let other = keep(key(root, "other", EdDsa));
        for key in [standard, first] {
            assert!(write!(db, tx => keys::insert_first(tx, key)).unwrap());
        }
        assert_eq!(read!(db, tx => keys::optional(tx)), std::slice::from_ref(first));
        let later = NOW.plus(std::time::Duration::from_mins(6));
        assert_eq!(write!(db, tx => keys::set_leaving(tx, &first.id, Some(later))).unwrap(), 1);
        assert_eq!(read!(db, tx => keys::optional(tx))[0].leaves_at, Some(later));
        assert_eq!(read!(db, tx => keys::due(tx, NOW, 9)), [(root.clone(), Rs256)], "it leaves anyway");
        assert_eq!(write!(db, tx => keys::set_leaving(tx, &first.id, None)).unwrap(), 1);
        assert_eq!(read!(db, tx => keys::due(tx, NOW, 9)).len(), 2);

        assert!(write!(db, tx => keys::succeed(tx, second, later)).unwrap());
        assert_eq!(write!(db, tx => keys::set_leaving(tx, &first.id, None)).unwrap(), 0);
        assert_eq!(read!(db, tx => keys::optional(tx)), std::slice::from_ref(second));
        assert_eq!(write!(db, tx => keys::set_leaving(tx, &second.id, Some(later))).unwrap(), 1);
        assert_eq!(write!(db, tx => keys::retire(tx, later, NOW)).unwrap(), 2);
        assert_eq!(write!(db, tx => keys::set_leaving(tx, &second.id, None)).unwrap(), 0, "it has left");
        let left = read!(db, tx => keys::of_issuer(tx, root));
        assert!(
            keys::signing(&left, Ed25519, later).is_none() && keys::signing(&left, Rs256, later).is_some()
        );
        assert_eq!(keys::next_generation(&left, Ed25519), 2);

        assert!(write!(db, tx => keys::insert_first(tx, other)).unwrap());
        write!(db, tx => keys::remove(tx, root, Ed25519)).unwrap();
        let ids: Vec<_> = read!(db, tx => keys::all(tx)).into_iter().map(|key| key.id.to_string()).collect();
        assert_eq!(ids, ["other", "rsa"], "no other algorithm's");
    })
    .await;
}
