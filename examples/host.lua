-- Hosts worlds, as host.py does, with less around it:  lua5.4 host.lua host.json
-- README.md shows such a file. The game: a player's first line is his pass; `score NUMBER`; all else is heard in his world.
package.path = (arg[0]:match "^(.*/)" or "./") .. "?.lua;" .. package.path
local socket, json, link, door = require "socket", require "dkjson", require "link", require "door"

io.stdout:setvbuf "line"
local path = assert(arg[1], "usage: lua5.4 host.lua host.json")
local config = json.decode((link.read_file(path))) -- has the key and the passwords: only we may read it
local port = door.open(config.listen, config.port, config.guests or 500, config.pass_seconds or 30)
print("players come in at port " .. port)
local again_at = math.huge -- when to start worlds that could not be started
local guests, tell, leave = door.guests, door.tell, door.leave
link.address = config.backend
link.open_outbox(path .. ".outbox")

-- Says how many are in a world; `all`: also who, and who is not named is not there.
local function count(world, all)
    local names = setmetatable({}, {__jsontype = "array"}) -- also when it is empty
    for _, guest in pairs(guests) do
        if guest.world == world then table.insert(names, guest.name) end
    end
    if all then link.send("PRESENT", {players = names, world = world}) end
    link.send("HOST SAY", {world = world, users = #names})
end

function door.left(guest)
    if link.ready and guest.world then -- else it is said after the reconnect
        link.send("LEAVE", {player = guest.name, world = guest.world})
        count(guest.world)
    end
end

local function close(world, why)
    print(world .. " is closed: " .. why)
    config.worlds[world] = nil
    for _, guest in pairs(guests) do
        if guest.world == world then leave(guest, why) end
    end
end

local function start(world, password)
    local args = {world = world, password = password, port = port, address = config.address}
    link.send("HOST START", args, function(reply)
        if reply.state == "OK" then return print(world .. " is open" .. (reply.data.resumed and " again" or "")) end
        if not link.later[reply.code] and reply.code ~= "hosted_elsewhere" then return close(world, reply.msg) end
        print(world .. " is not open yet: " .. reply.msg)
        again_at = socket.gettime() + 30
    end)
end

local function enter(guest, world, name, done)
    link.send("ENTER", {player = name, world = world}, function(reply)
        if reply.state == "OK" then done() else leave(guest, "Come again with a new pass: " .. reply.msg) end
    end)
end

-- On each new connection: who we are, which worlds are ours, who is there.
function link.begin()
    link.send("AUTH", {name = config.server, key = config.key}, function(reply)
        if reply.state ~= "OK" then return link.refused(reply) end
        for world, password in pairs(config.worlds) do start(world, password) end
        -- When the whole backend was restarted, it knows of nobody, and refuses who has shown his pass before that.
        for _, guest in pairs(guests) do
            if guest.world then enter(guest, guest.world, guest.name, function() end) end
        end
        link.send("PING", nil, function() -- replies come in order: all of that is answered now
            for world in pairs(config.worlds) do count(world, true) end
            link.begun()
        end)
    end)
end

function link.lost()
    for _, guest in pairs(guests) do -- who is in plays on; whose pass was not answered comes again
        if not guest.world then leave(guest, "The backend cannot be reached at the moment.") end
    end
end

-- What the backend tells by itself. With `to` it is for players who have no connection but the one to us.
function link.heard(event)
    print("event: " .. event.event)
    if event.event == "world_stopped" then close(event.world, event.msg) end
    local to = type(event.to) == "table" and event.to or {event.to}
    for _, guest in pairs(guests) do
        if event.event == "guest_registered" and guest.name == event.visitor then
            guest.name = event.player -- a visitor is a player now, and stays
        end
        for _, name in ipairs(to) do
            if guest.name == name then
                tell(guest, ("[%s] %s: %s"):format(event.event, event.from, event.body or event.subject or ""))
            end
        end
    end
end

local function show_pass(guest, word)
    if not link.ready then return leave(guest, "Come again in a moment.") end
    guest.shown = true
    -- We name no world: there is one door for all of ours, and the reply says for which one the pass is.
    link.send("PASS REDEEM", {pass = word, address = guest.address}, function(reply)
        if reply.state ~= "OK" then return leave(guest, "You cannot come in: " .. reply.msg) end
        local world, name = reply.data.world, reply.data.player
        for _, other in pairs(guests) do
            if other.world == world and other.name == name then leave(other, "You have come in a second time.") end
        end
        enter(guest, world, name, function()
            guest.world, guest.name = world, name
            tell(guest, ("Welcome to %s, %s."):format(world, name))
            count(world)
            door.listen(guest) -- what he has said meanwhile
        end)
    end)
end

local function said(guest, line)
    local score = line:match "^score (.+)"
    local refused
    if score then
        refused = link.put("RECORD SUBMIT", {board = config.board, score = score, player = guest.name})
    else
        for _, other in pairs(guests) do
            if other.world == guest.world then tell(other, guest.name .. ": " .. line) end
        end
    end
    if refused then tell(guest, refused) end
end

function door.heard(guest, line) (guest.world and said or show_pass)(guest, line) end

while true do
    if link.ready and socket.gettime() > again_at then
        again_at = math.huge
        for world, password in pairs(config.worlds) do start(world, password) end -- what is open stays so
    end
    door.turn(link.turn(door.sockets()))
end
