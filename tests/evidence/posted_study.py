"""A made-up study as two registries' formats give it, written twice by hand: JSON and pipe files.

The drug, the numbers and the people do not exist.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

NCT = "NCT09990001"

_RECORD: dict[str, Any] = {
    "protocolSection": {
        "identificationModule": {
            "nctId": NCT,
            "secondaryIdInfos": [{"id": "2031-000123-45", "type": "EUDRACT_NUMBER"}],
            "acronym": "REMAKE",
            "briefTitle": "Fictastine to Remake Myelin",
            "officialTitle": "Fictastine in Chronic Optic Neuropathy of Multiple Sclerosis",
        },
        "statusModule": {
            "overallStatus": "COMPLETED",
            "lastUpdatePostDateStruct": {"date": "2031-05-06", "type": "ACTUAL"},
        },
        "sponsorCollaboratorsModule": {
            "responsibleParty": {"type": "PRINCIPAL_INVESTIGATOR", "investigatorFullName": "Ada Nobody"}
        },
        "conditionsModule": {"conditions": ["Multiple Sclerosis"]},
        "designModule": {
            "phases": ["PHASE1", "PHASE2"],
            "designInfo": {
                "allocation": "RANDOMIZED",
                "interventionModel": "PARALLEL",
                "maskingInfo": {"masking": "DOUBLE", "whoMasked": ["PARTICIPANT", "INVESTIGATOR"]},
            },
            "enrollmentInfo": {"count": 60, "type": "ACTUAL"},
        },
        "armsInterventionsModule": {
            "armGroups": [
                {
                    "label": "Fictastine",
                    "type": "EXPERIMENTAL",
                    "interventionNames": ["Drug: Fictastine 4 mg"],
                },
                {"label": "Placebo", "type": "PLACEBO_COMPARATOR", "interventionNames": ["Drug: Placebo"]},
            ],
            "interventions": [
                {"type": "DRUG", "name": "Fictastine 4 mg"},
                {"type": "DRUG", "name": "Placebo"},
            ],
        },
        "outcomesModule": {
            "primaryOutcomes": [
                {"measure": "Change in P100 latency", "timeFrame": "Baseline to month 6"},
            ],
            "secondaryOutcomes": [{"measure": "Lesion MTR", "timeFrame": "Month 6"}],
        },
        "eligibilityModule": {"sex": "ALL", "minimumAge": "18 Years", "maximumAge": "60 Years"},
        "contactsLocationsModule": {
            "centralContacts": [
                {"name": "Bo Nobody", "email": "bo@nowhere.example", "phone": "+1 555 0100 200"}
            ],
            "overallOfficials": [{"name": "Ada Nobody", "role": "PRINCIPAL_INVESTIGATOR"}],
            "locations": [
                {"facility": "Site A", "city": "Here", "contacts": [{"name": "Cy Nobody"}]},
                {"facility": "Site B", "city": "There"},
            ],
        },
    },
    "derivedSection": {"miscInfoModule": {"versionHolder": "2031-05-07"}},
    "hasResults": True,
    "resultsSection": {
        "participantFlowModule": {
            "groups": [{"id": "FG000", "title": "Fictastine"}, {"id": "FG001", "title": "Placebo"}],
            "periods": [
                {
                    "title": "Overall Study",
                    "milestones": [
                        {
                            "type": "STARTED",
                            "achievements": [
                                {"groupId": "FG000", "numSubjects": "31"},
                                {"groupId": "FG001", "numSubjects": "29"},
                            ],
                        },
                        {
                            "type": "COMPLETED",
                            "achievements": [
                                {"groupId": "FG000", "numSubjects": "30"},
                                {"groupId": "FG001", "numSubjects": "29"},
                            ],
                        },
                    ],
                }
            ],
        },
        "outcomeMeasuresModule": {
            "outcomeMeasures": [
                {
                    "type": "PRIMARY",
                    "title": "Change in P100 latency",
                    "populationDescription": "Intention to treat",
                    "reportingStatus": "POSTED",
                    "paramType": "MEAN",
                    "dispersionType": "STANDARD_DEVIATION",
                    "unitOfMeasure": "ms",
                    "timeFrame": "Baseline to month 6",
                    "typeUnitsAnalyzed": "Eyes",
                    "groups": [
                        {"id": "OG000", "title": "Fictastine", "description": "4 mg twice daily"},
                        {"id": "OG001", "title": "Placebo", "description": "Tablets"},
                    ],
                    "denoms": [
                        {
                            "units": "Participants",
                            "counts": [
                                {"groupId": "OG000", "value": "30"},
                                {"groupId": "OG001", "value": "29"},
                            ],
                        },
                        {
                            "units": "Eyes",
                            "counts": [
                                {"groupId": "OG000", "value": "60"},
                                {"groupId": "OG001", "value": "58"},
                            ],
                        },
                    ],
                    "classes": [
                        {
                            "categories": [
                                {
                                    "measurements": [
                                        {"groupId": "OG000", "value": "-2.4", "spread": "4.1"},
                                        {"groupId": "OG001", "value": "-0.3", "spread": "3.9"},
                                    ]
                                }
                            ]
                        }
                    ],
                    "analyses": [
                        {
                            "groupIds": ["OG000", "OG001"],
                            "nonInferiorityType": "SUPERIORITY",
                            "pValue": "<0.001",
                            "statisticalMethod": "Mixed Models Analysis",
                            "paramType": "Mean Difference (Final Values)",
                            "paramValue": "2.1",
                            "ciPctValue": "95",
                            "ciNumSides": "TWO_SIDED",
                            "ciLowerLimit": "1.0",
                            "ciUpperLimit": "3.2",
                            "estimateComment": "ask bo@nowhere.example",
                        }
                    ],
                },
                {
                    "type": "SECONDARY",
                    "title": "Lesion MTR",
                    "reportingStatus": "POSTED",
                    "paramType": "MEDIAN",
                    "dispersionType": "INTER_QUARTILE_RANGE",
                    "unitOfMeasure": "percent units",
                    "timeFrame": "Baseline and month 6",
                    "groups": [
                        {"id": "OG000", "title": "Fictastine"},
                        {"id": "OG001", "title": "Placebo"},
                    ],
                    "denoms": [
                        {
                            "units": "Participants",
                            "counts": [
                                {"groupId": "OG000", "value": "30"},
                                {"groupId": "OG001", "value": "29"},
                            ],
                        }
                    ],
                    "classes": [
                        {
                            "title": visit,
                            "categories": [
                                {
                                    "measurements": [
                                        {
                                            "groupId": f"OG00{k}",
                                            "value": value,
                                            "lowerLimit": "28",
                                            "upperLimit": "33",
                                        }
                                        for k, value in enumerate(values)
                                    ]
                                }
                            ],
                        }
                        for visit, values in (("Baseline", ("30.1", "30.3")), ("Month 6", ("30.4", "NA")))
                    ],
                },
            ]
        },
    },
}

_TABLES = {
    "studies": (
        "nct_id|last_update_posted_date|acronym|brief_title|official_title|overall_status|phase|enrollment"
        "|enrollment_type|why_stopped",
        f"{NCT}|2031-05-06|REMAKE|Fictastine to Remake Myelin"
        '|"Fictastine in Chronic Optic Neuropathy\nof Multiple Sclerosis"|COMPLETED|PHASE1/PHASE2|60|ACTUAL|',
        "NCT09990002|2030-01-01||Another|Another|RECRUITING|PHASE3|10|ESTIMATED|",
    ),
    "designs": (
        "id|nct_id|allocation|intervention_model|masking",
        f"1|{NCT}|RANDOMIZED|PARALLEL|DOUBLE",
    ),
    "eligibilities": (
        "id|nct_id|gender|minimum_age|maximum_age|criteria",
        f'1|{NCT}|ALL|18 Years|60 Years|"Say ""yes"" | or no"',
    ),
    "calculated_values": ("id|nct_id|number_of_facilities", f"1|{NCT}|2"),
    "id_information": ("id|nct_id|id_value", f"1|{NCT}|2031-000123-45"),
    "conditions": ("id|nct_id|name", f"1|{NCT}|Multiple Sclerosis"),
    "interventions": ("id|nct_id|name", f"11|{NCT}|Fictastine 4 mg", f"12|{NCT}|Placebo"),
    "design_groups": (
        "id|nct_id|group_type|title",
        f"21|{NCT}|EXPERIMENTAL|Fictastine",
        f"22|{NCT}|PLACEBO_COMPARATOR|Placebo",
    ),
    "design_group_interventions": (
        "id|nct_id|design_group_id|intervention_id",
        f"1|{NCT}|21|11",
        f"2|{NCT}|22|12",
    ),
    "design_outcomes": (
        "id|nct_id|outcome_type|measure|time_frame",
        f"1|{NCT}|primary|Change in P100 latency|Baseline to month 6",
        f"2|{NCT}|secondary|Lesion MTR|Month 6",
    ),
    "outcomes": (
        "id|nct_id|outcome_type|title|time_frame|population|units|units_analyzed|dispersion_type|param_type",
        f"32|{NCT}|SECONDARY|Lesion MTR|Baseline and month 6||percent units||INTER_QUARTILE_RANGE|MEDIAN",
        f"31|{NCT}|PRIMARY|Change in P100 latency|Baseline to month 6|Intention to treat|ms|Eyes"
        "|STANDARD_DEVIATION|MEAN",
        "33|NCT09990002|PRIMARY|Other|Year 1||kg|||",
    ),
    "milestones": (
        "id|nct_id|result_group_id|ctgov_group_code|title|period|count",
        f"1|{NCT}|48|FG000|STARTED|Overall Study|31",
        f"2|{NCT}|49|FG001|STARTED|Overall Study|29",
        f"3|{NCT}|48|FG000|COMPLETED|Overall Study|30",
    ),
    "result_groups": (
        "id|nct_id|ctgov_group_code|result_type|title",
        f"48|{NCT}|FG000|Participant Flow|Fictastine",
        f"49|{NCT}|FG001|Participant Flow|Placebo",
        *(f"4{k}|{NCT}|OG00{k % 2}|Outcome|{('Fictastine', 'Placebo')[k % 2]}" for k in range(4)),
    ),
    "outcome_counts": (
        "id|nct_id|outcome_id|result_group_id|ctgov_group_code|scope|units|count",
        f"1|{NCT}|31|40|OG000|Measure|Participants|30",
        f"2|{NCT}|31|41|OG001|Measure|Participants|29",
        f"3|{NCT}|31|40|OG000|Measure|Eyes|60",
        f"4|{NCT}|31|41|OG001|Measure|Eyes|58",
        f"5|{NCT}|32|42|OG000|Measure|Participants|30",
        f"6|{NCT}|32|43|OG001|Measure|Participants|29",
    ),
    "outcome_measurements": (
        "id|nct_id|outcome_id|result_group_id|classification|category|param_value|dispersion_value"
        "|dispersion_lower_limit|dispersion_upper_limit",
        f"1|{NCT}|31|40|||-2.4|4.1||",
        f"2|{NCT}|31|41|||-0.3|3.9||",
        f"3|{NCT}|32|42|Baseline||30.1||28|33",
        f"4|{NCT}|32|43|Baseline||30.3||28|33",
        f"5|{NCT}|32|42|Month 6||30.4||28|33",
        f"6|{NCT}|32|43|Month 6||NA||28|33",
    ),
    "outcome_analyses": (
        "id|nct_id|outcome_id|non_inferiority_type|param_type|param_value|p_value_modifier|p_value"
        "|ci_n_sides|ci_percent|ci_lower_limit|ci_upper_limit|method|estimate_description",
        f"51|{NCT}|31|SUPERIORITY|Mean Difference (Final Values)|2.1|<|0.001|TWO_SIDED|95|1.0|3.2"
        "|Mixed Models Analysis|ask bo@nowhere.example",
    ),
    "outcome_analysis_groups": (
        "id|nct_id|outcome_analysis_id|result_group_id|ctgov_group_code",
        f"1|{NCT}|51|40|OG000",
        f"2|{NCT}|51|41|OG001",
    ),
    "facility_contacts": ("id|nct_id|name|email", f"1|{NCT}|Bo Nobody|bo@nowhere.example"),
}


def record() -> dict[str, Any]:
    """The study as JSON, to be changed freely."""
    return copy.deepcopy(_RECORD)


def write_record(folder: Path, content: Any = None, name: str = "study.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(record() if content is None else content))
    return path


def tables() -> dict[str, list[str]]:
    """The study as lines of pipe files, and one of another study; to be changed freely."""
    return {name: list(lines) for name, lines in _TABLES.items()}


def write_tables(folder: Path, content: dict[str, list[str]] | None = None) -> Path:
    for name, lines in (tables() if content is None else content).items():
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")
    return folder
