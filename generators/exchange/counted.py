# SPDX-License-Identifier: MIT
"""What the exchange counts, by group and name as in exchange.json; the reference of counters is made from this."""

from __future__ import annotations

COUNTED: dict[str, dict[str, str]] = {
    "frames": {
        "tcp": "TCP segments that reached the exchange",
        "arp": "ARP packets received",
        "arp_replies": "of those, answers to the exchange's own request",
        "udp": "UDP datagrams received",
        "udp_for_others": "of those, for another address or port than the re-request server's",
        "unknown": "other frames",
        "after_the_end": "answers that came up after the session had ended",
        "orderly_close": "1: the connection was over when the day ended",
        "nothing_to_break": "breaks or corrections for which no trade of the client was left",
        "nothing_to_reprice": "repricings for which no order of the client was live",
    },
    "ouch": {
        "Enter": "orders entered",
        "Replace": "replaces asked for",
        "Cancel": "cancels asked for",
        "Modify": "modifies asked for",
        "TradeNow": "trade-nows asked for (5.0)",
        "AccountQuery": "account queries (5.0)",
        "malformed": "messages of an unknown type or of another length than their type has",
        "rejected": "orders and replaces refused",
        "repeated_key": "orders and replaces with a token or reference number that was used: ignored",
        "not_live": "replaces, cancels and modifies of an order that is not live: ignored",
        "superfluous": "cancels and modifies that change nothing: ignored",
        "invalid_replace": "replaces whose terms are wrong: they cancel the order",
        "invalid_modify": "modifies whose terms are wrong: ignored",
    },
    "rerequests": {
        "answered": "requests answered",
        "malformed": "requests of another length than a request has",
        "other_session": "requests for another session",
        "nothing_there": "requests for numbers that are not there",
        "messages": "messages in the answers",
        "lost": "answers that got lost",
    },
}
