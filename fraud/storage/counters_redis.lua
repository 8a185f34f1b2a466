-- One event counted and all its questions answered, as fraud/storage/counters.py does it in one process.
-- KEYS: the event's own key, then one for each question ('' when it could not be asked).
-- ARGV: time (us), bound of members, bound of times, seconds an answer is kept, then for each question: kind, width (us), span, window (us), member.
local known = redis.call('GET', KEYS[1])
if known then return {1, known} end
local at, most_members, most_times, keep = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local answers = {}

local function bucket_of(name, bucket, span)
  -- Room for the bucket, or nothing when it is so old that it was dropped. Buckets are the fields of a hash, its limit the field 'f'.
  local floor = tonumber(redis.call('HGET', name, 'f') or '-9e15')
  if bucket < floor then return nil, floor end
  return true, floor
end

local function dropped_oldest(name, bucket, span, floor)
  if redis.call('HLEN', name) - (floor > -9e15 and 1 or 0) <= 2 * span then return floor, false end
  local oldest
  for _, field in ipairs(redis.call('HKEYS', name)) do
    local number = tonumber(field)
    if number and (not oldest or number < oldest) then oldest = number end
  end
  redis.call('HDEL', name, string.format('%.0f', oldest))
  floor = oldest + 1
  redis.call('HSET', name, 'f', string.format('%.0f', floor))
  return floor, oldest == bucket
end

local function fields_of(bucket, span)
  local fields = {}
  for number = bucket - span + 1, bucket do fields[#fields + 1] = string.format('%.0f', number) end
  return fields
end

local function count(name, bucket, span)
  local room, floor = bucket_of(name, bucket, span)
  if not room then return 'nan' end
  redis.call('HINCRBY', name, string.format('%.0f', bucket), 1)
  local gone
  floor, gone = dropped_oldest(name, bucket, span, floor)
  if gone or bucket - span + 1 < floor then return 'nan' end
  local total = 0
  for _, value in ipairs(redis.call('HMGET', name, unpack(fields_of(bucket, span)))) do
    if value then total = total + tonumber(value) end
  end
  return string.format('%.0f', total)
end

local function distinct(name, bucket, span, member)
  local room, floor = bucket_of(name, bucket, span)
  if not room then return 'nan' end
  local field = string.format('%.0f', bucket)
  local held = redis.call('HGET', name, field) or ''
  local found = false
  for from = 1, #held, 8 do found = found or held:sub(from, from + 7) == member end
  if not found and #held < 8 * most_members then held = held .. member end
  redis.call('HSET', name, field, held)
  local gone
  floor, gone = dropped_oldest(name, bucket, span, floor)
  if gone or bucket - span + 1 < floor then return 'nan' end
  local seen, total = {}, 0
  for _, value in ipairs(redis.call('HMGET', name, unpack(fields_of(bucket, span)))) do
    for from = 1, #(value or ''), 8 do
      local one = value:sub(from, from + 7)
      if not seen[one] then seen[one] = true; total = total + 1 end
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

for question = 2, #KEYS do
  local base = 5 + (question - 2) * 5
  local name, kind, width, span = KEYS[question], ARGV[base], tonumber(ARGV[base + 1]), tonumber(ARGV[base + 2])
  local window, member = tonumber(ARGV[base + 3]), ARGV[base + 4]
  if name == KEYS[1] then
    answers[#answers + 1] = 'nan'
  else
    local bucket = math.floor(at / width)
    if kind == '0' then
      answers[#answers + 1] = count(name, bucket, span)
    elseif kind == '1' then
      answers[#answers + 1] = distinct(name, bucket, span, member)
    else
      answers[#answers + 1] = gap(name, window)
    end
    redis.call('PEXPIRE', name, math.max(math.floor(2 * window / 1000), keep * 1000))
  end
end
local text = table.concat(answers, ',')
redis.call('SET', KEYS[1], text, 'EX', keep)
return {0, text}
