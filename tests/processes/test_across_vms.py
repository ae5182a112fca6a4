"""One script, one result (spec processes.md §5, §8: results never depend on the placement).

Random programs of messages, links, monitors and ends do not show where and in which slices they run.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.processes.harness import HERE, THERE, World

# A member of the cast takes one order at a time and answers each, so that the director's script is the only order there
# is; what it saw of messages and events between is its observable result.
CAST = """
local director, index = ...
local inbox, events, orders = process.inbox(), process.events(), process.listen("order")
local seen, number = {}, {}
local function note(text) seen[#seen + 1] = text end
local function name(pid) return tostring(number[pid]) end
local function told(err) return err and err:kind() or "ok" end
process.send(director, "ready", index)
local pids = process.listen("cast"):receive()
for i = 1, #pids do number[pids[i]] = i end

local function work(n)
  local x = 0
  for i = 1, n do x = (x + i) % 7 end
  return x
end

local acts = {}
function acts.send(o)
  local ok, err = process.send(pids[o.to], "note", {text = o.text, work = work(o.work)})
  note("sent " .. told(err))
end
function acts.monitor(o) local ok, err = process.monitor(pids[o.to]) note("monitor " .. told(err)) end
function acts.unmonitor(o) process.unmonitor(pids[o.to]) end
function acts.link(o) local ok, err = process.link(pids[o.to]) note("link " .. told(err)) end
function acts.unlink(o) process.unlink(pids[o.to]) end
function acts.trap(o) process.set_options{trap_links = o.on} end
function acts.cancel(o) local ok, err = process.cancel(pids[o.to], o.text) note("cancel " .. told(err)) end
function acts.terminate(o) local ok, err = process.terminate(pids[o.to]) note("terminate " .. told(err)) end
function acts.register(o) local ok, err = process.registry.register(o.text) note("register " .. told(err)) end
function acts.lookup(o)
  local pid, err = process.registry.lookup(o.text)
  note("lookup " .. (pid and name(pid) or told(err)))
end
function acts.by_name(o)
  local ok, err = process.send(o.text, "note", {text = "named", work = 0})
  note("by name " .. told(err))
end
function acts.work(o) coroutine.wrap(function() work(o.work) end)() end

while true do
  local r = channel.select{orders:case_receive(), inbox:case_receive(), events:case_receive()}
  local v = r.value
  if r.channel == orders then
    if v.act == "report" then process.send(director, "report", {index = index, seen = seen})
    elseif v.act == "return" then return {seen = seen}
    elseif v.act == "fail" then error(errors.new{message = "failed", kind = "Conflict", details = {seen = seen}})
    else
      acts[v.act](v)
      process.send(director, "done", index)
    end
  elseif r.channel == inbox then
    note("note from " .. name(v:from()) .. ": " .. v.text .. " " .. v.work)
  else
    local result = v.result or {}
    note(v.kind .. " " .. name(v.from) .. " " .. tostring(v.reason) .. " " ..
      tostring(result.error and result.error:message() .. " " .. result.error:kind()) .. " " ..
      tostring(result.value and #result.value.seen))
  end
end
"""

DIRECTOR = """
local hosts, orders = ...
local inbox, events, pids, results = process.inbox(), process.events(), {}, {}
for i = 1, #hosts do
  pids[i] = process.spawn_monitored("app:cast", hosts[i], process.pid(), i)
  inbox:receive()
end
for i = 1, #pids do process.send(pids[i], "cast", pids) end
for i = 1, #orders do
  local o = orders[i]
  process.send(pids[o.who], "order", o)
  time.sleep("1s")    -- everything that the order causes comes to rest
end
for i = 1, #pids do process.send(pids[i], "order", {act = "report"}) end
time.sleep("1s")
for i = 1, #pids do results[i] = "silent" end
while true do
  local r = channel.select{inbox:case_receive(), events:case_receive(), default = true}
  if r.default then break end
  if r.channel == inbox then
    if r.value:topic() == "report" then results[r.value.index] = r.value.seen end
  else
    local e = r.value.result
    for i = 1, #pids do
      if pids[i] == r.value.from then
        results[i] = {e.value and e.value.seen or "failed", e.error and e.error:message(), e.error and e.error:kind(),
          e.error and e.error:kind() == "Conflict" and e.error:details().seen}
      end
    end
  end
end
return results
"""

SIZE = 4
_member = st.integers(1, SIZE)
_text = st.sampled_from(["a", "b", "c"])
_order = st.one_of(
    st.fixed_dictionaries(
        {
            "act": st.sampled_from(["send", "by_name", "register", "lookup", "cancel"]),
            "who": _member,
            "to": _member,
            "text": _text,
            "work": st.sampled_from([0, 10, 3000]),
        }
    ),
    st.fixed_dictionaries(
        {
            "act": st.sampled_from(["monitor", "unmonitor", "link", "unlink", "link", "monitor"]),
            "who": _member,
            "to": _member,
        }
    ),
    st.fixed_dictionaries({"act": st.just("trap"), "who": _member, "on": st.booleans()}),
    st.fixed_dictionaries({"act": st.sampled_from(["return", "fail", "terminate"]), "who": _member, "to": _member}),
    st.fixed_dictionaries({"act": st.just("work"), "who": _member, "work": st.sampled_from([10, 20000])}),
)


def play(hosts: list[str], orders: list[dict[str, Any]], slice: int) -> Any:
    world = World(slice=slice)
    world.process("cast", CAST)
    result = world.exec(world.process("director", DIRECTOR), hosts, orders)
    world.settle()
    assert [record for record in world.logs if record[0] != "info"] == []
    failures = sorted((ended.failure.kind, ended.failure.message) for ended in world.ended)
    return result, failures


@settings(max_examples=25, deadline=None)
@given(
    orders=st.lists(_order, min_size=1, max_size=12),
    places=st.lists(st.sampled_from([HERE, THERE]), min_size=SIZE, max_size=SIZE),
    slice=st.sampled_from([1, 7, 50, 1000]),
)
def test_neither_placement_nor_slices_show(orders: list[dict[str, Any]], places: list[str], slice: int) -> None:
    assert play(places, orders, slice) == play([HERE] * SIZE, orders, 4000)


@settings(max_examples=15, deadline=None)
@given(
    counts=st.lists(st.integers(0, 30), min_size=3, max_size=3),
    places=st.lists(st.sampled_from([HERE, THERE]), min_size=3, max_size=3),
    slice=st.sampled_from([1, 20, 300]),
    how=st.sampled_from(["return 'done'", "error('done', 0)", "return nil, 'done'"]),
)
def test_each_sender_keeps_its_order_and_its_end_comes_last(
    counts: list[int], places: list[str], slice: int, how: str
) -> None:
    world = World(slice=slice)
    world.process("sender", f"local to, n = ... for i = 1, n do process.send(to, 'n', i) end {how}")
    assert (
        world.main(
            """
        local places, counts = ...
        local inbox, events, last, index = process.inbox(), process.events(), {}, {}
        for i = 1, #places do
          local pid = process.spawn_monitored("app:sender", places[i], process.pid(), counts[i])
          last[pid], index[pid] = 0, i
        end
        local ended = 0
        while ended < #places do
          local r = channel.select{inbox:case_receive(), events:case_receive()}
          if r.channel == inbox then
            local from, n = r.value:from(), r.value:payload():data()
            if n ~= last[from] + 1 then return nil, "out of order" end
            last[from] = n
          else
            ended = ended + 1
            -- what waits in the inbox came before
            while true do
              local more = channel.select{inbox:case_receive(), default = true}
              if more.default then break end
              last[more.value:from()] = more.value:payload():data()
            end
            local from = r.value.from
            if last[from] ~= counts[index[from]] then return nil, "the end came too early" end
          end
        end
        return "in order"
        """,
            places,
            counts,
        )
        == "in order"
    )
