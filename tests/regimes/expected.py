"""What each regulation finds on the two days of `days`, article by article; written before the checks were.

A row: article, check, about what, verdict, and the last day in China on which it is in time, where there is one.
"""

MEETS = {
    "pingluo": """
        6 assigned s1 met
        7 item_list unit met
        7 evidence_statement c1 met
        8 statement r1 met
        8 interruption i1 met
        8 continuous r1 met
        9 offload r1 met 2026-10-09
        10 case_file c1 met 2026-10-21
        10 evidence_statement c1 met
        11 keep_as_case_file m1 met 2027-09-30
        12 look_approved l1 met
        12 secrets_asked l1 met
    """,
    "general": """
        5 must_record a1 met
        11 must_record a1 met
        16 keep_routine m1 met 2027-09-30
        16 keep_as_case_file m1 met 2027-09-30
        16 case_file c1 met 2026-12-31
        17 keep_long_term m1 met 2027-09-30
        19 spot_check unit met 2026-11-01
        20 must_record a1 met
        20 intact r1 met
        20 look_approved l1 met
    """,
    "weixian": """
        12 must_record a1 met
        12 continuous r1 met
        13 statement r1 met
        14 offload r1 met 2026-09-30
        15 pre_use_check s1 met
        15 assigned s1 met
        16 fault_stops_use s1 met
        17 classified r1 met
        18 keep_routine m1 met 2027-09-30
        18 keep_as_case_file m1 met 2027-09-30
        19 keep_long_term m1 met 2027-09-30
        21 copy_through_one_unit l1 met
        22 look_approved l1 met
        23 must_record a1 met
        23 intact r1 met
        23 look_approved l1 met
    """,
    "changzhi": """
        6 item_list unit met
        13 must_record a1 met
        18 must_record a1 met
        18 pause p1 met
        19 start_and_end r1 met
        20 statement r1 met
        20 continuous r1 met
        21 interruption i1 met
        25 intact r1 met
        27 assigned s1 met
        28 assigned s1 met
        29 case_file c1 met 2026-10-31
        29 offload r1 met 2026-10-09
        30 look_approved l1 met
        31 look_approved l1 met
        31 secrets_asked l1 met
        32 intact r1 met
        32 keep_as_case_file m1 met 2027-09-30
        33 spot_check unit met 2026-11-01
    """,
    "xuchang": """
        5 must_record a1 met
        11 offload r1 met 2026-09-30
        11 monthly_archive 2026-09 met 2026-10-13
        12 keep_as_case_file m1 met 2027-09-30
        13 keep_long_term m1 met 2027-09-30
        15 copy_through_one_unit l1 met
        16 look_approved l1 met
        17 classified r1 met
        18 must_record a1 met
        19 statement r1 met
        19 continuous r1 met
        19 interruption i1 met
        19 pause p1 met
        20 pre_use_check s1 met
        21 fault_stops_use s1 met
        22 spot_check unit met 2026-11-01
        23 must_record a1 met
        23 intact r1 met
        23 look_approved l1 met
    """,
}

BREAKS = {
    "pingluo": """
        6 assigned s1 broken
        7 item_list unit broken
        7 evidence_statement c1 broken 2025-08-21
        8 statement r1 broken
        8 interruption i1 broken
        8 continuous r1 broken 2026-10-09
        9 offload r1 broken 2026-10-09
        10 case_file c1 broken 2025-08-21
        10 evidence_statement c1 broken 2025-08-21
        11 keep_as_case_file m1 broken 2027-09-30
        12 look_approved l1 broken
        12 secrets_asked l1 broken
    """,
    "general": """
        5 must_record a1 broken
        11 must_record a1 broken
        16 keep_routine m1 broken 2027-09-30
        16 keep_as_case_file m1 broken 2027-09-30
        16 case_file c1 broken 2025-12-31
        17 keep_long_term m1 broken 2027-09-30
        19 spot_check unit broken 2026-10-01
        20 must_record a1 broken
        20 intact r1 broken
        20 look_approved l1 broken
    """,
    "weixian": """
        12 must_record a1 broken
        12 continuous r1 broken 2026-10-09
        13 statement r1 broken
        14 offload r1 broken 2026-09-30
        15 pre_use_check s1 broken
        15 assigned s1 broken
        16 fault_stops_use s1 broken
        17 classified r1 broken 2026-10-09
        18 keep_routine m1 broken 2027-09-30
        18 keep_as_case_file m1 broken 2027-09-30
        19 keep_long_term m1 broken 2027-09-30
        21 copy_through_one_unit l1 broken
        22 look_approved l1 broken
        23 must_record a1 broken
        23 intact r1 broken
        23 look_approved l1 broken
    """,
    "changzhi": """
        6 item_list unit broken
        13 must_record a1 broken
        18 must_record a1 broken
        18 pause p1 person
        19 start_and_end r1 person
        20 statement r1 broken
        20 continuous r1 broken 2026-10-09
        21 interruption i1 broken 2026-10-09
        25 intact r1 broken
        27 assigned s1 broken
        28 assigned s1 broken
        29 case_file c1 broken 2025-08-31
        29 offload r1 broken 2026-10-09
        30 look_approved l1 broken
        31 look_approved l1 broken
        31 secrets_asked l1 broken
        32 intact r1 broken
        32 keep_as_case_file m1 broken 2027-09-30
        33 spot_check unit broken 2026-10-01
    """,
    "xuchang": """
        5 must_record a1 broken
        11 offload r1 broken 2026-09-30
        11 monthly_archive 2026-09 broken 2026-10-13
        12 keep_as_case_file m1 broken 2027-09-30
        13 keep_long_term m1 broken 2027-09-30
        15 copy_through_one_unit l1 broken
        16 look_approved l1 broken
        17 classified r1 broken 2026-10-09
        18 must_record a1 broken
        19 statement r1 broken
        19 continuous r1 broken 2026-10-09
        19 interruption i1 broken 2026-10-09
        19 pause p1 person
        20 pre_use_check s1 broken
        21 fault_stops_use s1 broken
        22 spot_check unit broken 2026-10-01
        23 must_record a1 broken
        23 intact r1 broken
        23 look_approved l1 broken
    """,
}

Row = tuple[str, str, str, str, str | None]


def rows(text: str) -> list[Row]:
    parts = [line.split() for line in text.strip().splitlines()]
    return [(one[0], one[1], one[2], one[3], one[4] if len(one) > 4 else None) for one in parts]
