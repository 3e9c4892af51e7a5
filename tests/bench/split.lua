-- What canary-split does by a header, without exact shares, counters, filter state and its watch over the canary.
local bit = require("bit")

local function bucket(text)
  local hash = 2166136261
  for at = 1, #text do
    hash = bit.bxor(hash, string.byte(text, at))
    -- FNV's prime as shifts: a product would leave the 53 bits of a number.
    hash = bit.tobit(hash + bit.lshift(hash, 1) + bit.lshift(hash, 4) + bit.lshift(hash, 7) + bit.lshift(hash, 8) + bit.lshift(hash, 24))
  end
  return hash % 1000000
end

function envoy_on_request(handle)
  local headers = handle:headers()
  if headers:get(":authority") == "host-9.example.com" then
    local user = headers:get("x-user-id")
    if user and bucket("books/" .. user) < 1000000 then
      headers:replace(":authority", "canary.example.com")
    end
  end
end
