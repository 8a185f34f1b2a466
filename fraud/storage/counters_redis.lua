-- Events counted and all their questions answered, as fraud/storage/counters.py does it in one process.
-- ARGV: bound of members, bound of times, seconds an answer is kept, then one string each of the events' own keys (12 bytes an event),
-- their times (a double of us an event) and their questions (key and member of 8 bytes, for each question of each event).
-- Before this text stands PLAN: of each question its kind, width (us), span and window (us).
-- Keys are made here and not named in KEYS: a thousand names a call would cost more than the counting. It takes one server, no cluster.
local most_members, most_times, keep = 8 * tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local ids, times, asked = ARGV[4], ARGV[5], ARGV[6]
local call, pack, floor_of, sub = redis.call, cmsgpack.pack, math.floor, string.sub
local COUNTED, ANSWERED, NOBODY, UNKNOWN = 'fraud:k', 'fraud:v', ('\0'):rep(8), -1
local READ_AT_ONCE = 4000
local events, questions = #ids / 12, #PLAN
local names, stored, opened, older, changed = {}, {}, {}, {}, {}
local FLOOR, NEWEST, TOTAL, HERE = 1, 2, 3, 4
local told, given, repeated = {}, {}, {}

local function read_all()
  -- The name of each question's key, and what is kept under those and under the events' own; false for what is new.
  local wanted, size = {}, 0
  local function want(name)
    if stored[name] == nil then
      stored[name], size = false, size + 1
      wanted[size] = name
    end
  end
  for event = 1, events do want(ANSWERED .. sub(ids, 12 * event - 11, 12 * event)) end
  for from = 1, #asked, 16 do
    local key = sub(asked, from, from + 7)
    if key ~= NOBODY then
      local name = COUNTED .. key
      names[from] = name
      want(name)
    end
  end
  for from = 1, size, READ_AT_ONCE do
    local upto = math.min(from + READ_AT_ONCE - 1, size)
    local values = call('MGET', unpack(wanted, from, upto))
    for place = from, upto do stored[wanted[place]] = values[place - from + 1] end
  end
end

-- A key that counts is kept as four things: the limit below which its buckets were dropped (false: none were), its newest bucket, what the
-- window that ends there holds, what the bucket itself holds (how many, or members side by side). Behind them, apart because events in
-- order do not need them, stand its older buckets from the oldest on, each with its number.
local function counter(name)
  local of = opened[name]
  if of or not stored[name] then return of end
  local from
  from, of = cmsgpack.unpack_one(stored[name])
  opened[name] = of
  if from >= 0 then older[name] = sub(stored[name], from + 1) end
  return of
end

local function sum(buckets, upto, after)
  local total = 0
  while upto > 0 and buckets[upto] > after do
    total, upto = total + buckets[upto + 1], upto - 2
  end
  return total
end

local function union(buckets, upto, after)
  local seen, total = {}, 0
  while upto > 0 and buckets[upto] > after do
    local held = buckets[upto + 1]
    for from = 1, #held, 8 do
      local one = sub(held, from, from + 7)
      if not seen[one] then seen[one] = true; total = total + 1 end
    end
    upto = upto - 2
  end
  return total
end

local function place_of(buckets, bucket, nothing)
  -- Where the bucket stands among all, made when it is not there.
  local place = #buckets - 1
  while place > 0 and buckets[place] > bucket do place = place - 2 end
  if place > 0 and buckets[place] == bucket then return place end
  table.insert(buckets, place + 2, bucket)
  table.insert(buckets, place + 3, nothing)
  return place + 2
end

local function elsewhere(name, of, bucket, span, nothing, with, all)
  -- Counts into a bucket that is not the newest: every one of them is looked at. Whether it was counted, and the answer.
  if of[FLOOR] and bucket < of[FLOOR] then return false, UNKNOWN end
  local buckets = older[name] and cmsgpack.unpack(older[name]) or {}
  local size = #buckets
  buckets[size + 1], buckets[size + 2] = of[NEWEST], of[HERE]
  local place = place_of(buckets, bucket, nothing)
  buckets[place + 1] = with(buckets[place + 1])
  if #buckets > 4 * span then
    of[FLOOR] = table.remove(buckets, 1) + 1
    table.remove(buckets, 1)
    place = place - 2
  end
  local last = #buckets - 1
  of[NEWEST], of[HERE], of[TOTAL] = buckets[last], buckets[last + 1], all(buckets, last, buckets[last] - span)
  local answer = UNKNOWN
  if place > 0 and not (of[FLOOR] and bucket - span + 1 < of[FLOOR]) then
    answer = place == last and of[TOTAL] or all(buckets, place, bucket - span)
  end
  buckets[last], buckets[last + 1] = nil, nil
  older[name] = last > 1 and pack(buckets) or nil
  return true, answer
end

local function standing(of, bucket, span)
  return (of[FLOOR] and bucket - span + 1 < of[FLOOR]) and UNKNOWN or of[TOTAL]
end

local function one_more(held) return held + 1 end

local function count(name, bucket, span)
  local of = counter(name)
  if not of then
    opened[name] = {false, bucket, 1, 1}
    return true, 1
  end
  if bucket ~= of[NEWEST] then return elsewhere(name, of, bucket, span, 0, one_more, sum) end
  of[HERE], of[TOTAL] = of[HERE] + 1, of[TOTAL] + 1
  return true, standing(of, bucket, span)
end

local function holds(members, member)
  local from = members:find(member, 1, true)
  while from and from % 8 ~= 1 do from = members:find(member, from + 1, true) end
  return from
end

local function distinct(name, bucket, span, member)
  local of = counter(name)
  if not of then
    opened[name] = {false, bucket, 1, member}
    return true, 1
  end
  local function with(held)
    return (#held >= most_members or holds(held, member)) and held or held .. member
  end
  if bucket == of[NEWEST] and with(of[HERE]) == of[HERE] then return false, standing(of, bucket, span) end
  return elsewhere(name, of, bucket, span, '', with, union)
end

local function gap(name, at, window)
  -- Times of one key, newest last; equal times stand beside one another.
  local seen = opened[name] or (stored[name] and cmsgpack.unpack(stored[name])) or {}
  opened[name] = seen
  local place = #seen
  while place > 0 and seen[place] > at do place = place - 1 end
  local earlier = seen[place]
  table.insert(seen, place + 1, at)
  if #seen > most_times then table.remove(seen, 1) end
  return true, (not earlier or at - earlier > window) and UNKNOWN or (at - earlier) / 1000000
end

local function answers_of(event)
  -- Counts the event; its answers, with -1 for what cannot be known.
  local at, answers = struct.unpack('<d', times, 8 * event - 7), {}
  for question = 1, questions do
    local from = 16 * ((event - 1) * questions + question - 1) + 1
    local name, answer = names[from], UNKNOWN
    if name then
      local of, counted = PLAN[question], true
      local kind = of[1]
      if kind == 0 then
        counted, answer = count(name, floor_of(at / of[2]), of[3])
      elseif kind == 1 then
        counted, answer = distinct(name, floor_of(at / of[2]), of[3], sub(asked, from + 8, from + 15))
      else
        counted, answer = gap(name, at, of[4])
      end
      if counted then changed[name] = question end
    end
    answers[question] = answer
  end
  return pack(answers)
end

local function keep_all()
  local lives = {}
  for question, of in ipairs(PLAN) do lives[question] = string.format('%.0f', math.max(2 * of[4] / 1000000, keep)) end
  for name, question in pairs(changed) do
    local value = pack(opened[name])
    call('SET', name, older[name] and value .. older[name] or value, 'EX', lives[question])
  end
  for name, answers in pairs(given) do call('SET', name, answers, 'EX', ARGV[3]) end
end

read_all()
for event = 1, events do
  local name = ANSWERED .. sub(ids, 12 * event - 11, 12 * event)
  local known = stored[name] or given[name]
  repeated[event] = known and '1' or '0'
  if not known then
    known = answers_of(event)
    given[name] = known
  end
  told[event] = known
end
keep_all()
return {table.concat(repeated), table.concat(told)}
