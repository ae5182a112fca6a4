%% The exchanges of `python -m benchmarks throughput` in Erlang.
%%
%% A server on standard input and output: a line "name number ..." runs an exchange in a process of its own and is
%% answered by "ok key=value ..." with times in nanoseconds, or by "error text". Run with one scheduler (+S 1).
-module(throughput_rival).
-export([main/0, hello/0]).
-export([pong_integer/2, pong_table/1, node/3, item_sender/2, leaf/1, stream_sink/2, waiter/0]).
-export([loop/0, recurse/1, hoard/2, chat/2, swallow/0]).

main() ->
    case io:get_line("") of
        eof -> halt(0);
        Line ->
            [Name | Args] = string:lexemes(string:trim(Line), " "),
            answer(list_to_atom(Name), [list_to_integer(A) || A <- Args]),
            main()
    end.

%% the whole program of the start-up row: one process gives one answer
hello() ->
    Me = self(),
    Greeter = spawn(fun() -> receive {From, Name} -> From ! ["hello, ", Name] end end),
    Greeter ! {Me, "world"},
    receive Text -> io:format("~s~n", [Text]) end,
    halt(0).

answer(Name, Args) ->
    {Pid, Ref} = spawn_monitor(fun() -> exit({done, exchange(Name, Args)}) end),
    receive
        {'DOWN', Ref, process, Pid, {done, Facts}} ->
            io:format("ok ~s~n", [lists:join(" ", [io_lib:format("~s=~w", [K, V]) || {K, V} <- Facts])]);
        {'DOWN', Ref, process, Pid, Reason} ->
            io:format("error ~0p~n", [Reason])
    end.

now_ns() -> erlang:monotonic_time(nanosecond).

timed(Count, Work) ->
    T0 = now_ns(),
    Count = Work(),
    [{ns, now_ns() - T0}].

exchange(pingpong_integer, [Rounds]) ->
    timed(Rounds, fun() ->
        Peer = spawn(?MODULE, pong_integer, [self(), Rounds]),
        ping_integer(1, Rounds, Peer)
    end);
exchange(pingpong_table, [Rounds]) ->
    timed(Rounds, fun() ->
        Peer = spawn(?MODULE, pong_table, [Rounds]),
        ping_table(1, Rounds, Peer)
    end);
exchange(ring, [Size, Rounds]) ->
    timed(Size * Rounds, fun() ->
        Last = spawn(?MODULE, node, [none, Rounds, self()]),
        First = lists:foldl(
            fun(_, Next) -> spawn(?MODULE, node, [Next, Rounds, none]) end, Last, lists:seq(2, Size)),
        Last ! {successor, First},
        First ! {token, 1},
        receive {done, Rounds} -> Size * Rounds end
    end);
exchange(fan_in, [Senders, Count]) ->
    timed(Senders * Count * (Count + 1) div 2, fun() ->
        [spawn(?MODULE, item_sender, [self(), Count]) || _ <- lists:seq(1, Senders)],
        sum_items(Senders * Count, 0)
    end);
exchange(births, [Batches, Size]) ->
    timed(Batches * Size, fun() -> births(Batches, Size), Batches * Size end);
exchange(births_watched, [Batches, Size]) ->
    timed(Batches * Size, fun() -> births_watched(Batches, Size, 0) end);
exchange(stream, [Count]) ->
    timed(Count * (Count + 1) div 2, fun() ->
        Sink = spawn(?MODULE, stream_sink, [self(), Count]),
        send_items(1, Count, Sink),
        receive {sum, Sum} -> Sum end
    end);
exchange(idle, [Count]) ->
    erlang:garbage_collect(),
    Processes0 = erlang:memory(processes),
    Total0 = erlang:memory(total),
    Pids = [spawn(?MODULE, waiter, []) || _ <- lists:seq(1, Count)],
    Count = ask_all(Pids, Count),
    Processes = erlang:memory(processes) - Processes0,
    Total = erlang:memory(total) - Total0,
    {memory, One} = erlang:process_info(hd(Pids), memory),
    stop_all(Pids),
    [{processes, Processes}, {total, Total}, {one, One}];
exchange(crowd, [Count]) ->
    T0 = now_ns(),
    Pids = [spawn(?MODULE, waiter, []) || _ <- lists:seq(1, Count)],
    T1 = now_ns(),
    Answered = ask_all(Pids, Count),
    T2 = now_ns(),
    stop_all(Pids),
    [{grow_ns, T1 - T0}, {ask_ns, T2 - T1}, {answered, Answered}];
exchange(hostile, [Waiters, Senders, Seconds, HogMegabytes]) ->
    hostile(Waiters, Senders, Seconds, HogMegabytes).

pong_integer(_, 0) -> ok;
pong_integer(Peer, Rounds) ->
    receive {ping, I} -> Peer ! {pong, I} end,
    pong_integer(Peer, Rounds - 1).

ping_integer(I, Rounds, _) when I > Rounds -> Rounds;
ping_integer(I, Rounds, Peer) ->
    Peer ! {ping, I},
    receive {pong, I} -> ok end,
    ping_integer(I + 1, Rounds, Peer).

pong_table(0) -> ok;
pong_table(Rounds) ->
    receive {ping, From, I} -> From ! {pong, self(), I} end,
    pong_table(Rounds - 1).

ping_table(I, Rounds, _) when I > Rounds -> Rounds;
ping_table(I, Rounds, Peer) ->
    Peer ! {ping, self(), I},
    receive {pong, _, I} -> ok end,
    ping_table(I + 1, Rounds, Peer).

node(none, Rounds, Driver) -> receive {successor, Next} -> pass(Next, Rounds, Rounds, Driver) end;
node(Next, Rounds, Driver) -> pass(Next, Rounds, Rounds, Driver).

pass(_, 0, _, none) -> ok;
pass(_, 0, Rounds, Driver) -> Driver ! {done, Rounds};
pass(Next, Left, Rounds, Driver) ->
    receive {token, I} -> Next ! {token, I} end,
    pass(Next, Left - 1, Rounds, Driver).

item_sender(Sink, Count) -> send_items(1, Count, Sink).

send_items(I, Count, _) when I > Count -> ok;
send_items(I, Count, Sink) ->
    Sink ! {item, I},
    send_items(I + 1, Count, Sink).

sum_items(0, Sum) -> Sum;
sum_items(Left, Sum) -> receive {item, I} -> sum_items(Left - 1, Sum + I) end.

stream_sink(Driver, Count) -> Driver ! {sum, sum_items(Count, 0)}.

leaf(none) -> ok;
leaf(Driver) -> Driver ! done.

births(0, _) -> ok;
births(Batches, Size) ->
    spawn_leaves(Size - 1),
    spawn(?MODULE, leaf, [self()]),
    receive done -> ok end,
    births(Batches - 1, Size).

spawn_leaves(0) -> ok;
spawn_leaves(N) ->
    spawn(?MODULE, leaf, [none]),
    spawn_leaves(N - 1).

births_watched(0, _, Seen) -> Seen;
births_watched(Batches, Size, Seen) ->
    [spawn_monitor(?MODULE, leaf, [none]) || _ <- lists:seq(1, Size)],
    [receive {'DOWN', _, process, _, normal} -> ok end || _ <- lists:seq(1, Size)],
    births_watched(Batches - 1, Size, Seen + Size).

waiter() ->
    receive
        {ping, From, I} -> From ! {pong, I}, waiter();
        stop -> ok
    end.

ask_all(Pids, Count) ->
    lists:foldl(fun(Pid, I) -> Pid ! {ping, self(), I}, I + 1 end, 1, Pids),
    maps:size(answers(Count, #{})).

answers(0, Seen) -> Seen;
answers(Left, Seen) -> receive {pong, I} -> answers(Left - 1, Seen#{I => true}) end.

stop_all(Pids) ->
    Refs = [monitor(process, Pid) || Pid <- Pids],
    [Pid ! stop || Pid <- Pids],
    [receive {'DOWN', Ref, process, _, _} -> ok end || Ref <- Refs],
    ok.

%% the bad neighbours; heaps are bounded as Erlang offers it, or the hog would take the machine
loop() -> loop().

recurse(N) -> 1 + recurse(N + 1).

hoard(N, Hoarded) -> hoard(N + 1, [lists:duplicate(60, N) | Hoarded]).

chat(Sink, N) ->
    Sink ! {chat, N, <<"did you hear">>},
    chat(Sink, N + 1).

swallow() -> receive _ -> swallow() end.

hostile(Waiters, Senders, Seconds, HogMegabytes) ->
    Bound = {max_heap_size, #{size => HogMegabytes * 131072, kill => true, error_logger => false}},
    Pids = list_to_tuple([spawn(?MODULE, waiter, []) || _ <- lists:seq(1, Waiters)]),
    Sink = spawn(?MODULE, swallow, []),
    Calm = pings(Pids, 1, now_ns() + Seconds * 100000000, []),
    {Hog, HogRef} = spawn_opt(?MODULE, hoard, [0, []], [monitor, Bound]),
    {Deep, DeepRef} = spawn_opt(?MODULE, recurse, [0], [monitor, Bound]),
    Bad = [spawn(?MODULE, loop, []), Sink | [spawn(?MODULE, chat, [Sink, 0]) || _ <- lists:seq(1, Senders)]],
    Trips = pings(Pids, 1, now_ns() + Seconds * 1000000000, []),
    Killed = length([x || {Pid, Ref} <- [{Hog, HogRef}, {Deep, DeepRef}], was_killed(Pid, Ref)]),
    [exit(Pid, kill) || Pid <- [Hog, Deep | Bad]],
    stop_all(tuple_to_list(Pids)),
    Sorted = list_to_tuple(lists:sort(Trips)),
    [{pings, length(Trips)}, {median_ns, rank(Sorted, 0.5)}, {p99_ns, rank(Sorted, 0.99)},
     {max_ns, rank(Sorted, 1.0)}, {calm_ns, rank(list_to_tuple(lists:sort(Calm)), 0.5)}, {killed, Killed}].

was_killed(Pid, Ref) -> receive {'DOWN', Ref, process, Pid, killed} -> true after 0 -> false end.

rank(Sorted, Share) -> element(max(1, ceil(tuple_size(Sorted) * Share)), Sorted).

pings(Pids, I, Until, Trips) ->
    T0 = now_ns(),
    case T0 >= Until of
        true -> Trips;
        false ->
            element(I rem tuple_size(Pids) + 1, Pids) ! {ping, self(), I},
            receive {pong, I} -> ok end,
            pings(Pids, I + 1, Until, [now_ns() - T0 | Trips])
    end.
