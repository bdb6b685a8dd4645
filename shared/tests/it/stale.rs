//! A file of codings that was learned of other quantizers: the build warns at the attribute, and nothing of it is used.

use tiltyard_shared::prelude::*;

#[deny(unfulfilled_lint_expectations, reason = "the warning is what is tested")]
#[expect(deprecated, reason = "the file was learned of another `Learned`")]
mod changed {
    use tiltyard_shared::prelude::*;

    #[derive(Clone, Debug, Serialize, Deserialize, Replicate)]
    #[replicate(codings = "../vectors/codings.txt")]
    pub(crate) struct Learned {
        #[replicate(range = 0.0..=128.0, step = 0.125, linear)]
        pub at: [f32; 2],
    }
}

#[test]
fn a_coding_that_does_not_fit_is_warned_of_and_not_used() {
    let kind = &changed::Learned::schema().kinds[0];
    assert_eq!(kind.mask, None);
    assert!(kind.lanes.iter().all(|lane| lane.learned.is_empty()), "{kind:?}");
}
