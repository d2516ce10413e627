"""What each regulation finds in two days that a recorder and a dock have lived through; written before they were run.

A row: article, check, about what (`-`: nothing is known of it here), verdict, and the last day on which it is in time.
All stored things of a day are `m`. A dock is not told of looks at evidence yet; on the second day nobody tells it of
cases and acts either.
"""

MEETS = {
    "pingluo": """
        6 assigned s1 met
        7 item_list unit met
        7 evidence_statement c1 met
        8 statement r1 met
        8 interruption i1 met
        8 continuous r1 met
        9 offload r1 met 2026-11-27
        10 case_file c1 met 2026-12-15
        10 evidence_statement c1 met
        11 keep_as_case_file m met
        12 look_approved - person
        12 secrets_asked - person
    """,
    "general": """
        5 must_record a1 met
        11 must_record a1 met
        16 keep_routine m met
        16 keep_as_case_file m met
        16 case_file c1 met 2026-12-31
        17 keep_long_term m met
        19 spot_check unit met 2026-12-25
        20 must_record a1 met
        20 intact r1 met
        20 look_approved - person
    """,
    "weixian": """
        12 must_record a1 met
        12 continuous r1 met
        13 statement r1 met
        14 offload r1 met 2026-11-25
        15 pre_use_check s1 met
        15 assigned s1 met
        17 classified r1 met
        18 keep_routine m met
        18 keep_as_case_file m met
        19 keep_long_term m met
        21 copy_through_one_unit - person
        22 look_approved - person
        23 must_record a1 met
        23 intact r1 met
        23 look_approved - person
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
        29 case_file c1 met 2026-12-25
        29 offload r1 met 2026-11-27
        30 look_approved - person
        31 look_approved - person
        31 secrets_asked - person
        32 intact r1 met
        32 keep_as_case_file m met
        33 spot_check unit met 2026-12-25
    """,
    "xuchang": """
        5 must_record a1 met
        11 offload r1 met 2026-11-25
        11 monthly_archive 2026-11 open 2026-12-07
        12 keep_as_case_file m met
        13 keep_long_term m met
        15 copy_through_one_unit - person
        16 look_approved - person
        17 classified r1 met
        18 must_record a1 met
        19 statement r1 met
        19 continuous r1 met
        19 interruption i1 met
        19 pause p1 met
        20 pre_use_check s1 met
        22 spot_check unit met 2026-12-25
        23 must_record a1 met
        23 intact r1 met
        23 look_approved - person
    """,
}

BREAKS = {
    "pingluo": """
        6 assigned s1 met
        7 item_list unit broken
        7 evidence_statement - person
        8 statement r1 broken
        8 interruption i1 broken 2026-11-27
        8 continuous r1 broken 2026-11-27
        9 offload r1 broken 2026-11-27
        10 case_file - person
        10 evidence_statement - person
        12 look_approved - person
        12 secrets_asked - person
    """,
    "general": """
        5 must_record - person
        11 must_record - person
        16 keep_routine m met 2027-11-29
        16 case_file - person
        19 spot_check unit broken 2026-12-25
        20 must_record - person
        20 intact r1 met
        20 look_approved - person
    """,
    "weixian": """
        12 must_record - person
        12 continuous r1 broken 2026-11-27
        13 statement r1 broken
        14 offload r1 broken 2026-11-25
        15 pre_use_check s1 met
        15 assigned s1 met
        16 fault_stops_use s1 broken
        17 classified r1 broken 2026-11-27
        18 keep_routine m met 2027-05-29
        21 copy_through_one_unit - person
        22 look_approved - person
        23 must_record - person
        23 intact r1 met
        23 look_approved - person
    """,
    "changzhi": """
        6 item_list unit broken
        13 must_record - person
        18 must_record - person
        18 pause p1 person
        19 start_and_end r1 met
        20 statement r1 broken
        20 continuous r1 broken 2026-11-27
        21 interruption i1 broken 2026-11-27
        25 intact r1 met
        27 assigned s1 met
        28 assigned s1 met
        29 case_file - person
        29 offload r1 broken 2026-11-27
        30 look_approved - person
        31 look_approved - person
        31 secrets_asked - person
        32 intact r1 met
        33 spot_check unit broken 2026-12-25
    """,
    "xuchang": """
        5 must_record - person
        11 offload r1 broken 2026-11-25
        11 monthly_archive 2026-11 broken 2026-12-07
        15 copy_through_one_unit - person
        16 look_approved - person
        17 classified r1 broken 2026-11-27
        18 must_record - person
        19 statement r1 broken
        19 continuous r1 broken 2026-11-27
        19 interruption i1 broken 2026-11-27
        19 pause p1 person
        20 pre_use_check s1 met
        21 fault_stops_use s1 broken
        22 spot_check unit broken 2026-12-25
        23 must_record - person
        23 intact r1 met
        23 look_approved - person
    """,
}
