//! Tables of paths through the tiers, and the path held against a loop over every day.

use proptest::prelude::*;
use touchstone_detectors::{Burden, StandingRules, TierRule};

use super::counts::{Days, Part, book, share};
use super::key::Names;
use super::measure::{Measure, Sums, measures};
use super::tiers::{Path, Place, date, name, why};

fn tier(name: &str, least_volume: u64, least_upheld: f64, most_countered: f64, every_code: bool) -> TierRule {
    let name = name.to_owned();
    TierRule { name, least_volume, least_upheld, most_countered, least_in_time: 0.0, every_code, burden: Burden::Word, handled_in_days: 1 }
}

fn rules() -> StandingRules {
    StandingRules {
        window_days: 90,
        back_after_days: 90,
        burden: Burden::Suspicion,
        tiers: vec![tier("good_faith", 20, 0.9, 0.05, true), tier("expedited", 40, 0.8, 0.1, false)],
        most_failed: 0.24,
        least_filings: 20,
    }
}

/// Day, code, part, how many.
type Made = (i64, u32, Part, u64);
/// What it shows, what was made, the last day, the tiers from which day on.
type Case<'a> = (&'a str, &'a [Made], i64, &'a [(i64, &'a str)]);

/// Counts of some days.
fn days(of: &[Made]) -> Days {
    let mut days = Days::new();
    for (day, code, part, n) in of {
        (0..*n).for_each(|_| book(&mut days, *day, (0, *code), |counts| counts.put(*part)));
    }
    days
}

fn path(rules: &StandingRules, days: &Days, last: i64) -> Vec<(i64, String)> {
    let path = Path::of(rules, days, last, &Names::default()).expect("a path");
    path.steps.iter().map(|step| (step.day, name(rules, step.place).to_owned())).collect()
}

#[test]
fn a_brand_goes_through_the_tiers_as_the_policy_says() {
    use Part::{Countered, Open, Rejected, Upheld};
    let cases: &[Case<'_>] = &[
        ("too few", &[(0, 0, Upheld, 19)], 50, &[(0, "standard")]),
        ("enough on the third day", &[(0, 0, Upheld, 19), (2, 0, Upheld, 1)], 50, &[(0, "standard"), (2, "good_faith")]),
        ("open ones are volume and no share", &[(0, 0, Upheld, 10), (0, 0, Open, 10)], 50, &[(0, "good_faith")]),
        ("nothing but open ones shows nothing", &[(0, 0, Open, 50)], 50, &[(0, "standard")]),
        ("exactly 90 % and 5 %", &[(0, 0, Upheld, 18), (0, 0, Countered, 1), (0, 0, Rejected, 1)], 50, &[(0, "good_faith")]),
        ("over 5 %", &[(0, 0, Upheld, 37), (0, 0, Countered, 3)], 50, &[(0, "expedited")]),
        (
            "out at once, back after 90 days",
            &[(0, 0, Upheld, 20), (5, 0, Rejected, 3), (60, 0, Upheld, 20), (100, 0, Upheld, 20)],
            200,
            &[(0, "good_faith"), (5, "standard"), (60, "expedited"), (90, "standard"), (95, "good_faith"), (190, "standard")],
        ),
        ("every code must hold", &[(0, 1, Upheld, 60), (1, 2, Open, 1), (3, 2, Rejected, 1)], 50, &[(0, "good_faith"), (3, "expedited")]),
        (
            "restricted, and no longer when it has left the window",
            &[(0, 0, Upheld, 30), (4, 0, Rejected, 10), (50, 0, Upheld, 1)],
            120,
            &[(0, "good_faith"), (4, "restricted"), (90, "standard")],
        ),
        ("few failed ones restrict nobody", &[(0, 0, Rejected, 19)], 50, &[(0, "standard")]),
        ("exactly 24 %", &[(0, 0, Upheld, 19), (0, 0, Rejected, 6)], 50, &[(0, "standard")]),
        ("all left the window", &[(0, 0, Upheld, 20)], 100, &[(0, "good_faith"), (90, "standard")]),
    ];
    for (what, of, last, wanted) in cases {
        let wanted: Vec<(i64, String)> = wanted.iter().map(|(day, tier)| (*day, (*tier).to_owned())).collect();
        assert_eq!(path(&rules(), &days(of), *last), wanted, "{what}");
    }
}

#[test]
fn a_fall_is_told_with_its_figures() {
    let days = days(&[(0, 0, Part::Upheld, 20), (5, 0, Part::Rejected, 3)]);
    let path = Path::of(&rules(), &days, 10, &Names::default()).expect("a path");
    assert_eq!(
        why(&rules(), &path, 10, &Names::default()),
        [
            "out of good_faith since 1970-01-06: 86.9 % of 23 filings ended in a removal, at least 90 % are asked; \
             86.9 % of 23 filings under no reason code ended in a removal, at least 90 % are asked; back at the earliest on 1970-04-06",
            "not in expedited: 23 filings, at least 40 are asked",
        ]
    );
    assert_eq!((date(95), path.now()), ("1970-04-06".to_owned(), (Place::Standard, 5)));
}

/// As the definition says it: every day, with the window summed anew.
fn naive(rules: &StandingRules, days: &Days, last: i64) -> Vec<(i64, String)> {
    let mut steps: Vec<(i64, Place)> = Vec::new();
    let mut fell: Vec<Option<i64>> = vec![None; rules.tiers.len()];
    for day in *days.keys().next().expect("a day")..=last {
        let mut sums = Sums::default();
        days.range(day - i64::from(rules.window_days) + 1..=day).for_each(|(_, of)| sums.add(of));
        let restricted = sums.all.decided() >= rules.least_filings
            && share(sums.all.failed(), sums.all.decided()).is_some_and(|failed| failed > rules.most_failed);
        let open = |tier: usize| fell[tier].is_none_or(|fell| day - fell >= i64::from(rules.back_after_days));
        let holds = |tier: usize| measures(&rules.tiers[tier], &sums).iter().all(Measure::holds);
        let best = (0..rules.tiers.len()).find(|tier| open(*tier) && holds(*tier)).map_or(Place::Standard, Place::Tier);
        let place = if restricted { Place::Restricted } else { best };
        let before = steps.last().map(|(_, place)| *place);
        if let (Some(Place::Tier(before)), false) = (before, before == Some(place)) {
            let up = matches!(place, Place::Tier(now) if now < before);
            fell[before] = if up { fell[before] } else { Some(day) };
        }
        if before != Some(place) {
            steps.push((day, place));
        }
    }
    steps.into_iter().map(|(day, place)| (day, name(rules, place).to_owned())).collect()
}

proptest! {
    #[test]
    fn days_that_are_passed_over_change_nothing(
        of in proptest::collection::vec((0_i64..60, 0_u32..3, 0_usize..4, 1_u64..8), 1..40),
        window_days in 1_u32..30,
        back_after_days in 0_u32..30,
        most_failed in 0.0..1.0_f64,
        measures in proptest::collection::vec((0_u64..20, 0.0..1.0_f64, 0.0..1.0_f64, any::<bool>()), 0..4),
    ) {
        let parts = [Part::Open, Part::Upheld, Part::Countered, Part::Rejected];
        let of: Vec<_> = of.into_iter().map(|(day, code, part, n)| (day, code, parts[part], n)).collect();
        let tiers = measures.into_iter().enumerate().map(|(i, (volume, upheld, countered, codes))| tier(&i.to_string(), volume, upheld, countered, codes));
        let rules = StandingRules { window_days, back_after_days, most_failed, least_filings: 5, tiers: tiers.collect(), ..rules() };
        prop_assert_eq!(path(&rules, &days(&of), 100), naive(&rules, &days(&of), 100));
    }
}
