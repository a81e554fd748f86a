-- The way to the backend, for host.lua: one connection that is made again whenever it breaks, and an outbox for what
-- must be done however often it breaks. Needs LuaSocket and dkjson (Debian: lua-socket, lua-dkjson).
local socket, json = require "socket", require "dkjson"

-- `begin(link)` is called on each new connection, to say who we are; `heard(event)` with each event; `lost()` when it
-- has broken. `begin` calls `link.begun()` when all that is said first is answered; then it is `ready` for others.
local link = {ready = false}
link.later = {unavailable = true, busy = true, slow_down = true} -- refused so, it may go well a little later
local backend, part = nil, ""
local asked, last, answered = {}, 0, 0 -- what to call with replies, by id; the last id that was sent, and answered
local wait, next_try, heard_at = 0.5, 0, 0

function link.read_file(name)
    local file = io.open(name)
    local text = file and file:read "a"
    if file then file:close() end
    return text
end

-- Sends a request; `done` is called with the reply. That the connection is broken shows when we read.
function link.send(cmd, args, done, key)
    last = last + 1
    asked[last] = done or function() end
    backend:settimeout(10)
    backend:send(json.encode {id = last, cmd = cmd, args = args, key = key} .. "\n")
end

-- The outbox is in a file until the backend has answered. Each thing has a key of its own, under which the backend does
-- it once (it remembers for 24 hours): after a broken connection it is just sent again.
local outbox, outbox_path = {}, nil
local LINE, WAITING = 65536, 1000 -- bytes, since the backend does not read a longer one; requests
local sent, send_at = false, 0 -- whether the first is sent and not answered; not to be sent before this time

function link.open_outbox(path)
    outbox_path = path
    outbox = json.decode(link.read_file(path) or "[]")
end

local function save()
    local file = assert(io.open(outbox_path .. ".new", "w"))
    assert(file:write(json.encode(outbox)))
    assert(file:close())
    assert(os.rename(outbox_path .. ".new", outbox_path)) -- so the file is never half written
end

-- Gives nothing where it is taken, else why it is not.
function link.put(cmd, args)
    local key = ("%x-%x-%x"):format(os.time(), math.random(0), math.random(0))
    local request = {key = key, cmd = cmd, args = args}
    if #json.encode(request) > LINE - 64 then return "That is too long for the backend. Say it in fewer words." end
    if #outbox >= WAITING then return "Too much waits for the backend. Say it again a little later." end
    table.insert(outbox, request)
    save()
    print("outbox: " .. cmd .. " waits")
end

local function send_outbox()
    local first = outbox[1]
    if sent or not (link.ready and first) or socket.gettime() < send_at then return end
    sent = true
    link.send(first.cmd, first.args, function(reply)
        sent = false
        if reply.state == "ERROR" and link.later[reply.code] then
            send_at = socket.gettime() + 5
            return
        end
        table.remove(outbox, 1)
        save()
        print("outbox: " .. first.cmd .. ": " .. reply.msg)
    end, first.key)
end

function link.broken(why)
    if backend then backend:close() end
    backend, link.ready, asked, answered, sent = nil, false, {}, last, false
    local pause = wait * (0.5 + math.random() / 2) -- longer each time, and not everybody at the same moment
    next_try, wait = socket.gettime() + pause, math.min(wait * 2, 60)
    print(("no connection (%s), the next try in %.1f s"):format(why, pause))
    link.lost()
end

function link.begun()
    link.ready, wait = true, 0.5 -- should it break now, the first wait is short again
    print "connected"
end

local function connect()
    local host, port = link.address:match "^(.*):(%d+)$"
    local made, why = socket.connect(host, tonumber(port))
    if not made then return link.broken(why) end
    backend, part, heard_at = made, "", socket.gettime()
    backend:settimeout(10)
    backend:send "MODE SERVER\n"
    local greeting, mode = backend:receive(), backend:receive()
    if not mode then return link.broken(greeting or "no greeting") end -- no OK: it says why
    link.begin()
end

local function read()
    backend:settimeout(0)
    while backend do
        local line, why, rest = backend:receive("*l", part)
        if not line then
            part = rest -- the beginning of a line, to go on with
            if why ~= "timeout" then link.broken(why) end
            return
        end
        part, heard_at = "", socket.gettime()
        local message = json.decode(line) or {}
        if message.event == "ping" then
            link.send "PING" -- a game server that was silent for 30 seconds is asked whether it lives
        elseif message.event then
            link.heard(message)
        else
            -- A line that the backend could not read is answered without an id. Answers come in order of what was asked, so
            -- this is for the next one. Nobody would wait for it else, and it would be sent for ever.
            answered = message.id or answered + 1
            local done = asked[answered]
            asked[answered] = nil
            if done then done(message) end
        end
        if backend then backend:settimeout(0) end
    end
end

function link.refused(reply)
    if not link.later[reply.code] then error(reply.msg, 0) end -- another try would not help
    link.broken(reply.msg)
end

-- Does what is to be done with the backend, then waits for it or for one of these sockets; gives those that can be read.
function link.turn(sockets)
    if not backend and socket.gettime() >= next_try then connect() end
    if backend then
        send_outbox()
        table.insert(sockets, backend)
    end
    local readable = socket.select(sockets, nil, backend and 1 or math.min(1, math.max(0, next_try - socket.gettime())))
    -- The backend would have asked whether we live. When it is silent for longer, it is not there.
    if backend and readable[backend] then
        read()
    elseif backend and socket.gettime() - heard_at > 90 then
        link.broken "silence"
    end
    return readable
end

return link
