-- SPDX-License-Identifier: GPL-3.0-or-later
-- Exercises the interpreter: what it does depends on nothing but this file (no addresses, no time, no random seed).

local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end
print(fib(22))

-- Tables: array and hash part, rehashing, traversal, sorting with a comparison in Lua.
local words, n = {}, 0
for i = 1, 3000 do words[i] = ("word%d"):format((i * 7919) % 3001) end
table.sort(words)
table.sort(words, function(a, b) return #a < #b or (#a == #b and a > b) end)
local index = {}
for i, word in ipairs(words) do index[word] = i end
for word, i in pairs(index) do n = n + #word * i end
for i = 1, 3000, 3 do index[words[i]] = nil end
print(n, words[1], words[3000], table.concat(words, ",", 5, 9), select("#", table.unpack(words, 1, 100)))
print(#table.move(words, 1, 100, 50, {}), table.remove(words, 3), table.insert(words, 1, "x"))

-- Strings: patterns with captures, replacement by function and table, formats, packing.
local text = ("The quick brown fox jumps over the lazy dog. "):rep(60)
print(select(2, text:gsub("%w+", string.upper)), text:find("lazy", 1, true), text:match("(%w+) dog"))
print(text:gsub("(%w+) (%w+)", "%2 %1", 2):sub(1, 40), text:gsub("%w+", {quick = "slow"}):sub(1, 30))
for key, value in ("a=1, b=22, c=333"):gmatch("(%w+)=(%w+)") do io.write(key, value, ";") end
print(("%5.2f|%-8s|%q|%x|%g"):format(math.pi, "left", "a\n\"b\"", 255, 1e100))
print(string.unpack("<i4z", string.pack("<i4z", -5, "packed")), utf8.len("naïve"), utf8.codepoint("é", 1))

-- Errors: longjmp out of C and Lua frames, nested, with handlers and objects, to-be-closed variables.
local function deep(k) if k == 0 then error({code = 42}) end return 1 + deep(k - 1) end
for i = 1, 50 do
	local ok, why = pcall(deep, i)
	assert(not ok and why.code == 42)
end
print(pcall(error, "plain"), xpcall(function() local x = nil; return x.field end, function(m) return "handled: " .. m end))
print(pcall(string.rep, "x", -1), pcall(string.format, "%d", "no number"), pcall(table.sort, {3, 1, "x"}))
do
	local closed <close> = setmetatable({}, {__close = function() print("closed") end})
	print(pcall(function() local c <close> = setmetatable({}, {__close = function() error("in close") end}) end))
end
-- The C stack's end.
local function nest(k) return (string.gsub("x", "x", function() return nest(k + 1) end)) end
print(pcall(nest, 1) == false)

-- Coroutines: generators, errors across yields, wrap.
local function generate(k) return coroutine.wrap(function() for i = 1, k do coroutine.yield(i) end end) end
local sum = 0
for i in generate(500) do sum = sum + i end
local co = coroutine.create(function() pcall(coroutine.yield, 1); error("end") end)
print(sum, coroutine.resume(co), coroutine.resume(co))
print(coroutine.resume(co), coroutine.status(co))

-- Objects, metamethods, closures, varargs, integer and float arithmetic, goto, load.
local Point = {}
Point.__index = Point
Point.__add = function(a, b) return setmetatable({x = a.x + b.x}, Point) end
Point.__lt = function(a, b) return a.x < b.x end
Point.__gc = function(p) n = n + 1 end
local p = setmetatable({x = 1}, Point)
for i = 1, 2000 do p = p + setmetatable({x = i % 7}, Point) end
print(p.x, p < p + p, 7 // 2, -7 % 3, 2 ^ 10, 1 << 40, 3.5 // 1, "10" + 5, math.tointeger(3.0), tostring(1e15))
local chunk = {}
for i = 1, 300 do chunk[i] = ("local v%d = %d; t[%d] = v%d * 2"):format(i % 150, i, i, i % 150) end
local t = {}
for _ = 1, 3 do assert(load("local t = ... do " .. table.concat(chunk, " end do ") .. " end"))(t) end
print(t[300], load("syntax error here"), #string.dump(fib))
collectgarbage()
collectgarbage("generational")
for i = 1, 20000 do local garbage = {i, {i}} end
collectgarbage("incremental")
for i = 1, 20000 do local garbage = tostring(i) .. "x" end
collectgarbage()
print(n)
os.exit(3, true)
