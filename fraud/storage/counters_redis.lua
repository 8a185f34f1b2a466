-- One event counted and all its questions answered, as fraud/storage/counters.py does it in one process.
-- KEYS: the event's own key, then one for each question (the event's own again when it could not be asked).
-- ARGV: time (us), bound of members, bound of times, seconds an answer is kept, then the members of all questions, eight bytes each.
-- Before this text stands PLAN: of each question its kind, width (us), span and window (us).
local known = redis.call('GET', KEYS[1])
if known then return {1, known} end
local at, most_members, most_times, keep = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local answers = {}

local function buckets_of(name)
  -- What is kept of a key: its buckets by number (a hash of few fields is read faster whole than asked for sixty it may have), how many
  -- and which is the oldest, and the limit below which buckets were dropped (the field 'f').
  local of = {kept = {}, floor = -9e15, size = 0}
  local flat = redis.call('HGETALL', name)
  for place = 1, #flat, 2 do
    local number = tonumber(flat[place])
    if number then
      of.kept[number], of.size = flat[place + 1], of.size + 1
      if not of.oldest or number < of.oldest then of.oldest = number end
    else
      of.floor = tonumber(flat[place + 1])
    end
  end
  return of
end

local function put(name, of, bucket, span, value)
  -- Keeps the bucket's value; whether its whole window is still there afterwards.
  redis.call('HSET', name, string.format('%.0f', bucket), value)
  if not of.kept[bucket] then
    of.size = of.size + 1
    if not of.oldest or bucket < of.oldest then of.oldest = bucket end
  end
  of.kept[bucket] = value
  if of.size > 2 * span then
    redis.call('HDEL', name, string.format('%.0f', of.oldest))
    of.floor = of.oldest + 1
    redis.call('HSET', name, 'f', string.format('%.0f', of.floor))
  end
  return bucket - span + 1 >= of.floor
end

local function count(name, bucket, span)
  local of = buckets_of(name)
  if bucket < of.floor then return 'nan' end
  if not put(name, of, bucket, span, string.format('%.0f', (of.kept[bucket] or 0) + 1)) then return 'nan' end
  local total = 0
  for number, value in pairs(of.kept) do
    if number > bucket - span and number <= bucket then total = total + value end
  end
  return string.format('%.0f', total)
end

local function distinct(name, bucket, span, member)
  local of = buckets_of(name)
  if bucket < of.floor then return 'nan' end
  local held = of.kept[bucket] or ''
  local found = false
  for from = 1, #held, 8 do found = found or held:sub(from, from + 7) == member end
  if not found and #held < 8 * most_members then held = held .. member end
  if not put(name, of, bucket, span, held) then return 'nan' end
  local seen, total = {}, 0
  for number, value in pairs(of.kept) do
    if number > bucket - span and number <= bucket then
      for from = 1, #value, 8 do
        local one = value:sub(from, from + 7)
        if not seen[one] then seen[one] = true; total = total + 1 end
      end
    end
  end
  return string.format('%.0f', total)
end

local function gap(name, window)
  -- Times of one key, newest last; equal times stand beside one another.
  local times, earlier, place = {}, nil, 1
  for time in (redis.call('GET', name) or ''):gmatch('[^,]+') do
    times[#times + 1] = tonumber(time)
    if times[#times] <= at then earlier, place = times[#times], #times + 1 end
  end
  table.insert(times, place, at)
  if #times > most_times then table.remove(times, 1) end
  for index, time in ipairs(times) do times[index] = string.format('%.0f', time) end
  redis.call('SET', name, table.concat(times, ','))
  if not earlier or at - earlier > window then return 'nan' end
  return string.format('%.6f', (at - earlier) / 1000000)
end

for question, of in ipairs(PLAN) do
  local name, kind, width, span, window = KEYS[question + 1], of[1], of[2], of[3], of[4]
  if name == KEYS[1] then
    answers[question] = 'nan'
  else
    local bucket = math.floor(at / width)
    if kind == 0 then
      answers[question] = count(name, bucket, span)
    elseif kind == 1 then
      answers[question] = distinct(name, bucket, span, ARGV[5]:sub(8 * question - 7, 8 * question))
    else
      answers[question] = gap(name, window)
    end
    redis.call('PEXPIRE', name, math.max(math.floor(2 * window / 1000), keep * 1000))
  end
end
local text = table.concat(answers, ',')
redis.call('SET', KEYS[1], text, 'EX', keep)
return {0, text}
