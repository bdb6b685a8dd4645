//! Chunks for a table, one after the other, each as if its frame were of the next tick. The first byte says of which entities:
//! with the default codings, or with learned ones.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tiltyard_scenes::walkers::Walker;
use tiltyard_shared::{
    game::Tick,
    hash::StateHash,
    replica::Table,
    replicate::{Layout, Replicate},
};

use tiltyard_test_support::sandbox::Thing;

fuzz_target!(|data: &[u8]| {
    let Some((which, data)) = data.split_first() else { return };
    let layout = Layout::new(&if which % 2 == 0 { Thing::schema() } else { Walker::schema() });
    let (mut rest, mut table) = (data, Table::default());
    for tick in 1.. {
        match table.apply(&layout, rest, Tick(tick), Tick(tick - 1)) {
            Ok(read) => rest = &rest[read..],
            Err(_) => break,
        }
        assert_eq!(table.hash(), naive_hash(&layout, &table));
        if rest.is_empty() {
            break;
        }
    }
    let _ = naive_hash(&layout, &table);
});

/// The hash by its definition, of all that can be looked at.
fn naive_hash(layout: &Layout, table: &Table) -> StateHash {
    let mut hash = StateHash::default();
    for (place, member) in table.members().iter().enumerate() {
        hash += StateHash::member(member.slot, member.generation, member.kind);
        let blobs = table.blobs(layout, place).iter().map(|blob| StateHash::blob_content(blob));
        let (codes, kind) = (table.lanes(layout, place), &layout.kinds[usize::from(member.kind)]);
        let lanes = (0..kind.lanes.len()).map(|lane| kind.content(codes, lane));
        for (index, content) in lanes.chain(blobs).enumerate() {
            hash += StateHash::field(member.slot, member.generation, index as u32, content);
        }
    }
    hash
}
