"""The module time. What Go prints and reads was taken from Go itself."""

from __future__ import annotations

import pytest

from actors.vm.door import Door
from actors.vm.door_functions import pure_functions
from tests.lua.harness import Lua

TIME = "local time = module('time') "
PARSED = TIME + "local t, err = time.parse({!r}, {!r}, time.utc) return t and tostring(t), err and err:kind()"


@pytest.fixture
def lua() -> Lua:
    return Lua(Door(pure_functions("America/New_York")))


def text(lua: Lua, expression: str) -> str:
    got: bytes = lua.run(TIME + f"return tostring({expression})")
    return got.decode()


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("1h30m", "1h30m0s"),
        ("1.5h", "1h30m0s"),
        ("250ms", "250ms"),
        ("-2h3.5s", "-2h0m3.5s"),
        ("0", "0s"),
        ("1us", "1µs"),
        ("1.5µs", "1.5µs"),
        ("999ns", "999ns"),
        (".5s", "500ms"),
        ("2562047h47m16.854775807s", "2562047h47m16.854775807s"),
        ("3146895091610915421ns", "874137h31m31.610915421s"),
        ("+1m", "1m0s"),
    ],
)
def test_duration_texts_are_those_of_go(lua: Lua, given: str, shown: str) -> None:
    assert text(lua, f"time.parse_duration('{given}')") == shown


@pytest.mark.parametrize(
    "given",
    [
        "''",
        "'1'",
        "'s'",
        "'.s'",
        "'1 s'",
        "'1x'",
        "'--1s'",
        "'2562047h47m16.854775808s'",
        "{}",
        "nil",
        "true",
        "0/0",
        "1e19",
    ],
)
def test_a_bad_duration_is_invalid(lua: Lua, given: str) -> None:
    assert lua.run(TIME + f"local d, e = time.parse_duration({given}) return d, e:kind()") == (None, b"Invalid")


def test_duration_methods_give_floats_and_integers(lua: Lua) -> None:
    assert lua.run(
        TIME
        + """local d = time.parse_duration("1h30m1.5s")
        local n = time.parse_duration("-1.5ms")
        return d:hours(), d:minutes(), d:seconds(), d:milliseconds(), d:microseconds(), d:nanoseconds(),
          n:milliseconds(), n:microseconds(), n:nanoseconds()"""
    ) == (5401.5 / 3600, 5401.5 / 60, 5401.5, 5401500, 5401500000, 5401500000000, -1, -1500, -1500000)


def test_numbers_are_nanoseconds_and_a_duration_is_a_duration(lua: Lua) -> None:
    assert text(lua, "time.parse_duration(1500000000)") == "1.5s"
    assert text(lua, "time.parse_duration(2 * time.MINUTE)") == "2m0s"
    assert text(lua, "time.parse_duration(time.parse_duration('3s'))") == "3s"


def test_durations_and_times_compare(lua: Lua) -> None:
    assert lua.run(
        TIME
        + """local a, b = time.parse_duration("1s"), time.parse_duration("1s1ns")
        local x, y = time.unix(5, 1), time.unix(5, 2)
        return a < b, b <= a, a == time.parse_duration(1e9), x < y, x <= x, x == time.unix(5, 1):utc(), x == y,
          x:before(y), x:after(y), x:equal(y), y:after(x), x:equal(time.unix(5, 1))"""
    ) == (True, False, True, True, True, True, False, True, False, False, True, True)


def test_now_is_the_clock_of_the_step_in_the_local_zone(lua: Lua) -> None:
    assert text(lua, "time.now()") == "2023-11-14 17:13:20 -0500 EST"
    assert lua.run(TIME + "rt.advance(1.5) return time.now():unix(), time.now():nanosecond()") == (
        1700000001,
        500000000,
    )


def test_sleep_waits_as_long_as_asked(lua: Lua) -> None:
    assert lua.run(TIME + "time.sleep('250ms') time.sleep(5e8) time.sleep(0) time.sleep('-1s') return rt.slept") == 0.75
    assert lua.run(TIME + "local r, e = time.sleep('soon') return r, e:kind()") == (None, b"Invalid")


def test_after_gives_one_time_and_closes(lua: Lua) -> None:
    assert lua.run(
        TIME
        + """local ch = time.after("2s")
        local early = pcall(ch.receive, ch)
        rt.advance(2)
        local t, ok = ch:receive()
        local none, more = ch:receive()
        return early, t:unix(), ok, none, more"""
    ) == (False, 1700000002, True, None, False)


@pytest.mark.parametrize("call", ["after", "timer", "ticker"])
@pytest.mark.parametrize("given", ["0", "-1", "'x'", "nil", "'-1s'"])
def test_timers_refuse_what_is_not_a_positive_duration(lua: Lua, call: str, given: str) -> None:
    assert lua.run(TIME + f"local r, e = time.{call}({given}) return r, e:kind()") == (None, b"Invalid")


def test_a_timer_fires_once_and_then_neither_stops_nor_resets(lua: Lua) -> None:
    assert lua.run(
        TIME
        + """local timer = time.timer("1s")
        rt.advance(1)
        local t = timer:channel():receive()
        return t:unix(), timer:stop(), timer:reset("1s"), rt.timers(), timer:response() == timer:channel()"""
    ) == (1700000001, False, False, 0, True)


def test_a_stopped_timer_closes_its_channel(lua: Lua) -> None:
    assert lua.run(
        TIME
        + """local timer = time.timer("1s")
        local running, again = timer:stop(), timer:stop()
        rt.advance(5)
        local v, ok = timer:channel():receive()
        return running, again, v, ok, rt.timers(), timer:reset(1)"""
    ) == (True, False, None, False, 0, False)


def test_a_timer_that_is_reset_fires_later(lua: Lua) -> None:
    assert lua.run(
        TIME
        + """local timer = time.timer("1s")
        rt.advance(0.5)
        local was = timer:reset("2s")
        rt.advance(1.9)
        local early = pcall(function() return timer:channel():receive() end)
        rt.advance(0.1)
        local t = timer:channel():receive()
        return was, early, t:unix(), t:nanosecond()"""
    ) == (True, False, 1700000002, 500000000)
    assert "duration must be positive" in lua.error(TIME + "time.timer('1s'):reset(0)")
    assert "invalid duration" in lua.error(TIME + "time.timer('1s'):reset('x')")


def test_a_ticker_ticks_without_drift_and_drops_what_nobody_takes(lua: Lua) -> None:
    assert lua.run(
        TIME
        + """local ticker = time.ticker("100ms")
        rt.advance(0.35)
        local ch, n = ticker:channel(), 0
        while pcall(ch.receive, ch) do n = n + 1 end
        rt.advance(100)
        local waiting = #ch.queue
        local stopped = ticker:stop()
        local left = rt.timers()
        for _ = 1, 16 do ch:receive() end
        local v, ok = ch:receive()
        return n, waiting, stopped, left, v, ok, ticker:stop(), ticker:response() == ch"""
    ) == (3, 16, True, 0, None, False, True, True)


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ("2024, 2, 29, 12, 30, 15, 5, time.utc", "2024-02-29 12:30:15.000000005 +0000 UTC"),
        ("2024, 13, 32, 25, 61, 61, 1e9, time.utc", "2025-02-02 02:02:02 +0000 UTC"),
        ("2023, 0, 0, -1, 0, 0, -1, time.utc", "2022-11-29 22:59:59.999999999 +0000 UTC"),
        ("2024, 7, 4, 0, 0, 0, 0", "2024-07-04 00:00:00 -0400 EDT"),
        ("2024, 3, 10, 2, 30, 0, 0", "2024-03-10 01:30:00 -0500 EST"),
        ("2024, 11, 3, 1, 30, 0, 0", "2024-11-03 01:30:00 -0400 EDT"),
        ("2024, 5, 1, 0, 0, 0, 0, time.load_location('Asia/Kathmandu')", "2024-05-01 00:00:00 +0545 +0545"),
    ],
)
def test_dates_roll_over_and_mind_the_zone(lua: Lua, arguments: str, shown: str) -> None:
    assert text(lua, f"time.date({arguments})") == shown


@pytest.mark.parametrize("missing", range(1, 8))
def test_date_requires_all_seven_numbers(lua: Lua, missing: int) -> None:
    given = ["1"] * 7
    given[missing - 1] = "nil"
    message = f"bad argument #{missing} to 'date' (number expected, got nil)"
    assert message in lua.error(TIME + f"local t = time.date({', '.join(given)})")


def test_unix_takes_seconds_and_nanoseconds(lua: Lua) -> None:
    assert text(lua, "time.unix(0):utc()") == "1970-01-01 00:00:00 +0000 UTC"
    assert text(lua, "time.unix(-1, 1999999999):utc()") == "1970-01-01 00:00:00.999999999 +0000 UTC"
    assert "bad argument #1 to 'unix'" in lua.error(TIME + "local t = time.unix('x')")
    assert lua.run(TIME + "local t = time.unix(1700000000, 1) return t:unix(), t:unix_nano()") == (
        1700000000,
        1700000000000000001.0,
    )


@pytest.mark.parametrize(
    ("layout", "shown"),
    [
        ("RFC3339", "2024-02-03T04:05:06+01:00"),
        ("RFC3339NANO", "2024-02-03T04:05:06.0789+01:00"),
        ("RFC822", "03 Feb 24 04:05 CET"),
        ("RFC822Z", "03 Feb 24 04:05 +0100"),
        ("RFC850", "Saturday, 03-Feb-24 04:05:06 CET"),
        ("RFC1123", "Sat, 03 Feb 2024 04:05:06 CET"),
        ("RFC1123Z", "Sat, 03 Feb 2024 04:05:06 +0100"),
        ("DATE_TIME", "2024-02-03 04:05:06"),
        ("DATE_ONLY", "2024-02-03"),
        ("TIME_ONLY", "04:05:06"),
        ("KITCHEN", "4:05AM"),
        ("STAMP", "Feb  3 04:05:06"),
        ("STAMP_MILLI", "Feb  3 04:05:06.078"),
        ("STAMP_MICRO", "Feb  3 04:05:06.078900"),
        ("STAMP_NANO", "Feb  3 04:05:06.078900000"),
    ],
)
def test_the_named_layouts_write_as_go_does(lua: Lua, layout: str, shown: str) -> None:
    moment = "time.date(2024, 2, 3, 4, 5, 6, 78900000, time.load_location('Europe/Paris'))"
    assert text(lua, f"{moment}:format(time.{layout})") == shown


@pytest.mark.parametrize(
    ("layout", "shown"),
    [
        ("06 1 01 January Jan", "24 2 02 February Feb"),
        ("2 02 _2 002 __2", "3 03  3 034  34"),
        ("Mon Monday Month", "Sat Saturday Month"),
        ("15 3 03 PM pm 4 04 5 05", "16 4 04 PM pm 5 05 6 06"),
        ("Z07:00 Z0700 Z07 -07:00 -0700 -07", "+01:00 +0100 +01 +01:00 +0100 +01"),
        ("5.00 5,000 5.999 5.9999", "6.07 6,078 6.078 6.0789"),
        ("07 x.01 .0x", "07 x.02 .0x"),
        ("_2006 Janet MST", "_2024 Janet CET"),
    ],
)
def test_every_token_is_written_and_the_rest_is_literal(lua: Lua, layout: str, shown: str) -> None:
    moment = "time.date(2024, 2, 3, 16, 5, 6, 78900000, time.load_location('Europe/Paris'))"
    assert text(lua, f"{moment}:format('{layout}')") == shown


def test_utc_is_written_as_z(lua: Lua) -> None:
    assert text(lua, "time.unix(0):utc():format_rfc3339()") == "1970-01-01T00:00:00Z"
    assert text(lua, "time.unix(0):utc():format('Z0700 -07:00')") == "Z +00:00"


@pytest.mark.parametrize(
    ("layout", "given", "shown"),
    [
        ("2006-01-02T15:04:05Z07:00", "2024-02-03T04:05:06.5+02:00", "2024-02-03 04:05:06.5 +0200 +0200"),
        ("2006-01-02T15:04:05Z07:00", "2024-02-03T04:05:06Z", "2024-02-03 04:05:06 +0000 UTC"),
        ("Mon, 02 Jan 2006 15:04:05 MST", "Sat, 03 Feb 2024 04:05:06 UTC", "2024-02-03 04:05:06 +0000 UTC"),
        ("Mon, 02 Jan 2006 15:04:05 MST", "Sat, 03 Feb 2024 04:05:06 GMT+3", "2024-02-03 07:05:06 +0300 GMT+3"),
        ("3:04PM", "11:15PM", "0000-01-01 23:15:00 +0000 UTC"),
        ("3:04PM", "12:15AM", "0000-01-01 00:15:00 +0000 UTC"),
        ("2006 002", "2024 060", "2024-02-29 00:00:00 +0000 UTC"),
        ("_2 January 06", " 7 march 70", "1970-03-07 00:00:00 +0000 UTC"),
        ("2006-01-02 15:04:05.000", "2024-02-03 04:05:06.078", "2024-02-03 04:05:06.078 +0000 UTC"),
        ("15:04:05.999", "04:05:06", "0000-01-01 04:05:06 +0000 UTC"),
        ("2006 1 2", "2024   2 3", "2024-02-03 00:00:00 +0000 UTC"),
    ],
)
def test_texts_are_read_as_go_reads_them(lua: Lua, layout: str, given: str, shown: str) -> None:
    assert lua.run(PARSED.format(layout, given)) == (shown.encode(), None)


@pytest.mark.parametrize(
    ("layout", "given"),
    [
        ("2006-01-02", "2024-13-01"),
        ("2006-01-02", "2023-02-29"),
        ("2006-01-02", "2024-02-03x"),
        ("2006-01-02", "24-02-03"),
        ("2006-01-02", ""),
        ("15:04", "24:00"),
        ("15:04", "12:60"),
        ("Jan 2", "Foo 2"),
        ("Mon", "Xyz"),
        ("PM", "am"),
        ("-07:00", "+0100"),
        ("MST", "cet"),
        ("2006 002", "2023 366"),
        ("15:04:05.000", "04:05:06.07"),
    ],
)
def test_a_text_that_does_not_fit_its_layout_is_invalid(lua: Lua, layout: str, given: str) -> None:
    assert lua.run(PARSED.format(layout, given)) == (None, b"Invalid")


def test_a_text_without_zone_is_local_or_in_the_zone_given(lua: Lua) -> None:
    assert text(lua, "time.parse(time.DATE_TIME, '2024-07-04 10:00:00')") == "2024-07-04 10:00:00 -0400 EDT"
    assert text(lua, "time.parse(time.DATE_ONLY, '2024-07-04', time.load_location('Asia/Tokyo'))").endswith("+0900 JST")
    assert text(lua, "time.parse('2006-01-02 MST', '2024-07-04 EDT')") == "2024-07-04 00:00:00 -0400 EDT"
    assert "bad argument #2 to 'parse'" in lua.error(TIME + "local t = time.parse('2006', 5)")


def test_calendar_arithmetic_rolls_over_like_go(lua: Lua) -> None:
    assert text(lua, "time.date(2024, 1, 31, 9, 0, 0, 7, time.utc):add_date(0, 1, 0)").startswith(
        "2024-03-02 09:00:00.000000007"
    )
    assert text(lua, "time.date(2024, 2, 29, 0, 0, 0, 0, time.utc):add_date(-1, 0, -60)").startswith("2022-12-31")
    assert text(lua, "time.date(2024, 3, 9, 12, 0, 0, 0):add_date(0, 0, 1)") == "2024-03-10 12:00:00 -0400 EDT"
    assert text(lua, "time.date(2024, 3, 9, 12, 0, 0, 0):add('24h')") == "2024-03-10 13:00:00 -0400 EDT"
    assert "number expected" in lua.error(TIME + "local t = time.now():add_date(1)")


def test_add_and_sub_are_exact_to_the_nanosecond(lua: Lua) -> None:
    assert text(lua, "time.unix(1700000000, 999999999):add(1):sub(time.unix(0, 1))") == "472222h13m20.999999999s"
    assert text(lua, "time.unix(253402300799):sub(time.unix(-62135596800))") == "2562047h47m16.854775807s"
    assert "invalid duration" in lua.error(TIME + "local t = time.now():add('x')")
    assert "Time expected" in lua.error(TIME + "local t = time.now():sub(5)")


def test_rounding_counts_from_year_one(lua: Lua) -> None:
    moment = "time.date(2024, 2, 3, 12, 15, 30, 918273645, time.utc)"

    def rounded(how: str, unit: str) -> str:
        return text(lua, f"{moment}:{how}(time.parse_duration('{unit}')):format('2006-01-02 15:04:05.999999999')")

    assert rounded("round", "1ms") == "2024-02-03 12:15:30.918"
    assert rounded("round", "1s") == "2024-02-03 12:15:31"
    assert rounded("truncate", "1h") == "2024-02-03 12:00:00"
    assert rounded("truncate", "168h") == "2024-01-29 00:00:00"
    assert rounded("round", "333333333ns") == "2024-02-03 12:15:30.824107272"
    assert rounded("truncate", "-1s") == "2024-02-03 12:15:30.918273645"
    for wrong in ("1000000000", "'1s'", "nil"):
        assert "Duration expected" in lua.error(TIME + f"local t = time.now():round({wrong})")


def test_fields_are_told_in_the_zone_of_the_time(lua: Lua) -> None:
    assert lua.run(
        TIME
        + """local t = time.date(2024, 12, 31, 23, 30, 15, 9, time.fixed_zone("X", -3600))
        local y, m, d = t:date()
        local h, mi, s = t:clock()
        local u = t:utc()
        return t:year(), t:month(), t:day(), t:hour(), t:minute(), t:second(), t:nanosecond(), t:weekday(),
          t:year_day(), y, m, d, h, mi, s, u:year(), u:hour(), u:year_day(), u:weekday()"""
    ) == (2024, 12, 31, 23, 30, 15, 9, 2, 366, 2024, 12, 31, 23, 30, 15, 2025, 0, 1, 3)


def test_zones_are_loaded_by_name_or_made(lua: Lua) -> None:
    assert lua.run(
        TIME
        + """local loc = time.load_location("Europe/Lisbon")
        local zone = time.fixed_zone("ABC", 3 * 3600 + 60)
        local _, missing = time.load_location("Mars/Base")
        local _, empty = time.load_location("")
        local t = time.unix(1720000000)
        return loc:string(), tostring(loc), tostring(t:in_location(zone)), missing:kind(), empty:kind(),
          t:location():string(), t:utc():location() == time.utc, t:utc():in_local():location() == time.localtz"""
    ) == (
        *(b"Europe/Lisbon", b"Europe/Lisbon", b"2024-07-03 12:47:40 +0301 ABC", b"NotFound", b"Invalid"),
        *(b"Local", True, True),
    )
    assert "Location expected" in lua.error(TIME + "local t = time.now():in_location('UTC')")


def test_two_changes_within_a_month_are_both_seen(lua: Lua) -> None:
    # Morocco suspends its summer time during Ramadan
    days = [
        text(lua, f"time.date(2024, {m}, 1, 0, 0, 0, 0, time.load_location('Africa/Casablanca'))") for m in (3, 4, 5)
    ]
    assert [day[-9:-4] for day in days] == ["+0100", "+0000", "+0100"]


def test_is_zero_is_year_one_in_utc(lua: Lua) -> None:
    assert lua.run(TIME + "return time.date(1, 1, 1, 0, 0, 0, 0, time.utc):is_zero(), time.now():is_zero()") == (
        True,
        False,
    )


def test_the_constants_have_their_values(lua: Lua) -> None:
    assert lua.run(
        TIME
        + """return time.NANOSECOND, time.MICROSECOND, time.MILLISECOND, time.SECOND, time.MINUTE, time.HOUR,
          time.JANUARY, time.DECEMBER, time.SUNDAY, time.SATURDAY"""
    ) == (1, 1000, 10**6, 10**9, 60 * 10**9, 3600 * 10**9, 1, 12, 0, 6)


def test_values_are_opaque_to_scripts_and_methods_check_their_self(lua: Lua) -> None:
    assert lua.run(
        TIME
        + """local t, d = time.now(), time.parse_duration("1s")
        return type(t), type(d), type(time.utc), type(time.timer("1s")), getmetatable(t)"""
    ) == (b"userdata", b"userdata", b"userdata", b"userdata", False)
    assert "Time expected, got table" in lua.error(TIME + "local y = time.now().year({})")
    assert "Timer expected" in lua.error(TIME + "local y = time.timer('1s').stop({})")
    assert "cannot set field" in lua.error(TIME + "time.now().x = 1")


@pytest.mark.parametrize("junk", ["0/0", "1/0", "'x'", "{}", "nil"])
def test_objects_that_a_script_wrote_into_do_not_reach_the_kernel(lua: Lua, junk: str) -> None:
    assert lua.run(
        TIME
        + f"""local d = time.parse_duration("1s")
        rawset(d, 1, {junk})
        local a, fault = time.after(d)
        local _, slept = time.sleep(d)
        local zone = time.load_location("Asia/Tokyo")
        rawset(zone, 1, {{}})
        return a, fault:kind(), slept:kind(), rt.timers(), (pcall(tostring, time.unix(0):in_location(zone)))"""
    ) == (None, b"Invalid", b"Invalid", 0, False)


def test_endless_layouts_are_refused(lua: Lua) -> None:
    assert "layout longer than 4096 bytes" in lua.error(TIME + "local t = time.now():format(('x'):rep(5000))")
    assert lua.run(TIME + "local t, e = time.parse(('x'):rep(5000), 'x') return t, e:kind()") == (None, b"Invalid")
