-- The door of host.lua. Whoever comes may be anybody, so all that he can do has a bound: how many are there at once, how
-- long a line is, and how long one may be without a pass. What one does not read is lost, for him alone.
local socket = require "socket"

local LINE = 4096 -- bytes; a longer one is refused
local ENDLESS = 65536 -- bytes; whoever goes on so long without an end is sent away

-- `heard(guest, line)` is called with each line, the first of which is to be his pass: whoever takes it for one marks him as
-- `shown`, and gives him a world and a name when he is in. `left(guest)` is called when he is gone.
local door = {guests = {}, here = 0} -- guests by socket

function door.open(address, port, most, seconds)
    door.most = math.min(most, 1000) -- `select` takes no descriptor from 1,024 on
    door.seconds, door.socket = seconds, assert(socket.bind(address, port, 500))
    door.socket:settimeout(0)
    return select(2, door.socket:getsockname()) -- the port; 0 stands for any that is free
end

function door.tell(guest, text) guest.socket:send(text .. "\n") end

function door.leave(guest, why)
    if not door.guests[guest.socket] then return end
    door.guests[guest.socket], door.here = nil, door.here - 1
    if why then door.tell(guest, why) end
    guest.socket:close()
    door.left(guest)
end

-- Who has shown his pass is read on when it is answered.
local function is_heard(guest) return guest.world or not guest.shown end

-- What he has said so far, line by line. What cannot be sent on goes nowhere, and he is told why.
function door.listen(guest)
    while door.guests[guest.socket] and is_heard(guest) do
        local stop = guest.part:find("\n", 1, true)
        if not stop then
            local endless = #guest.part > ENDLESS and "That is far too long, and does not end. Goodbye."
            if endless or guest.gone then door.leave(guest, endless) end
            return
        end
        local line = guest.part:sub(1, stop - 1):match "^(.-)\r?$"
        guest.part = guest.part:sub(stop + 1)
        if #line > LINE then
            door.tell(guest, ("That is too long: a line has at most %d bytes."):format(LINE))
        elseif not utf8.len(line) then
            door.tell(guest, "That is not UTF-8. Let your program write UTF-8, and say it again.")
        else
            door.heard(guest, line)
        end
    end
end

-- Whether somebody has come.
local function come()
    local new = door.socket:accept()
    if not new then return false end
    new:settimeout(0) -- nobody waits for one who does not read
    local guest = {socket = new, address = new:getpeername(), part = "", late = socket.gettime() + door.seconds}
    if door.here >= door.most then
        door.tell(guest, "There is no room at the moment. Come again a little later.")
        new:close()
    else
        door.guests[new], door.here = guest, door.here + 1
    end
    return true
end

-- What is to be waited for.
function door.sockets()
    local sockets = {door.socket}
    for from, guest in pairs(door.guests) do
        if is_heard(guest) and not guest.gone then table.insert(sockets, from) end
    end
    return sockets
end

-- Takes what has come from those that can be read.
function door.turn(readable)
    for _, from in ipairs(readable) do
        local guest = door.guests[from]
        if from == door.socket then
            for _ = 1, 100 do -- not all, so that nobody is forgotten over those who come
                if not come() then break end
            end
        elseif guest then
            -- By number: a whole line would be waited for as long as he goes on.
            local bytes, why, some = from:receive(4096)
            guest.part, guest.gone = guest.part .. (bytes or some), why and why ~= "timeout"
            door.listen(guest)
        end
    end
    for _, guest in pairs(door.guests) do
        if not guest.shown and socket.gettime() > guest.late then
            door.leave(guest, "You have shown no pass. Come again when you have one.")
        end
    end
end

return door
