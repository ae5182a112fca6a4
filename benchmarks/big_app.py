"""An app of any size, written into a folder: half of its entries have a Lua file of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

NAMESPACE_SIZE = 30

_SCRIPT = """\
-- Part {number} of the app: keeps accounts, each with its moves.
local json = require("json")

type Move = {{amount: number, note: string?}}

local accounts = {{}}

local function account_of(name: string)
  local account = accounts[name]
  if not account then
    account = {{name = name, balance = 0, moves = {{}}}}
    accounts[name] = account
  end
  return account
end

local function book(name: string, move: Move)
  local account = account_of(name)
  account.balance = account.balance + move.amount
  account.moves[#account.moves + 1] = move
  return account.balance
end

local function summary(name: string): string
  local parts = {{}}
  for i, move in ipairs(account_of(name).moves) do
    parts[i] = move.amount .. (move.note and " for " .. move.note or "")
  end
  return table.concat(parts, ", ")
end

local function run(first)
  for i = 1, {number} do
    if i % 2 == 0 then
      book("even", {{amount = i}})
    elseif i > 3 then
      book("odd", {{amount = -i, note = "part {number}"}})
    end
  end
  if first then
    return json.encode({{summary("even"), summary("odd")}})
  end
  return {number}
end

return {{ run = run, summary = summary }}
"""


def write(folder: Path, entries: int) -> None:
    """Write an app of `entries` entries, a multiple of 30, into `folder`: each namespace a folder with its index."""
    if entries % NAMESPACE_SIZE:
        raise ValueError(f"got {entries} entries, expected a multiple of {NAMESPACE_SIZE}")
    for part in range(entries // NAMESPACE_SIZE):
        home = folder / f"part{part}"
        home.mkdir(parents=True)
        made = [_lua(home, part, i) for i in range(NAMESPACE_SIZE // 2)]
        made += [_other(part, i) for i in range(NAMESPACE_SIZE - len(made))]
        (home / "_index.yaml").write_text(_index(f"big.part{part}", made), encoding="utf-8")


def _lua(home: Path, part: int, i: int) -> dict[str, Any]:
    number = part * NAMESPACE_SIZE + i
    (home / f"script{i}.lua").write_text(_SCRIPT.format(number=number), encoding="utf-8")
    common = {"name": f"script{i}", "source": f"file://script{i}.lua", "modules": ["json"]}
    if i % 3 == 2:
        return {**common, "kind": "function.lua", "method": "run", "meta": {"comment": f"function {number}"}}
    return {**common, "kind": "process.lua", "method": "run", "meta": {"comment": f"process {number}"}}


def _other(part: int, i: int) -> dict[str, Any]:
    here = f"big.part{part}"
    if i == 0:
        return {"name": "host", "kind": "process.host", "host": {"workers": 1}}
    if i <= 4:
        service = {"process": f"{here}:script{i * 3}" if i < 4 else f"{here}:script1", "host": f"{here}:host"}
        return {
            "name": f"service{i}",
            "kind": "process.service",
            **service,
            "lifecycle": {"requires": [f"{here}:host"]},
        }
    if i <= 6:
        policy = {"actions": ["process.spawn", "funcs.call"], "resources": f"{here}:*", "effect": "allow"}
        return {"name": f"policy{i}", "kind": "security.policy", "groups": ["staff"], "policy": policy}
    return {"name": f"setting{i}", "kind": "registry.entry", "meta": {"tags": ["setting", here]}, "value": {"limit": i}}


def _index(namespace: str, entries: list[dict[str, Any]]) -> str:
    """The index in YAML as people write it: a list of entries, what is inside of them in flow form."""
    lines = ['version: "1.0"', f"namespace: {namespace}", "", "entries:"]
    for entry in entries:
        marks = iter(["  - "])
        lines += [f"{next(marks, '    ')}{key}: {json.dumps(value)}" for key, value in entry.items()]
    return "\n".join(lines) + "\n"
