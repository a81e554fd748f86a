//! What holds whatever is said.

use crate::program::Program;
use crate::talk::Talk;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn nothing(_x in 0..3) {
        let _ = Talk::new(Program::nc());
    }
}
