-- wrk: post the body of the file that BODY names, hold every reply to the bytes that the file EXPECTED has, and print in
-- the end how many were asked, and how many failed, by how.
local function content(name)
    local file = assert(io.open(os.getenv(name), "rb"))
    local bytes = file:read("*a")
    file:close()
    return bytes
end

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = content("BODY")

local expected = content("EXPECTED")
wrong, threads = 0, {}

function setup(thread)
    table.insert(threads, thread)
end

function response(status, headers, body)
    if status ~= 200 or body ~= expected then
        if wrong < 3 then io.stderr:write("status ", status, ": ", string.sub(body, 1, 300), "\n") end
        wrong = wrong + 1
    end
end

function done(summary, latency, requests)
    local wrong_in_all = 0
    for _, thread in ipairs(threads) do wrong_in_all = wrong_in_all + thread:get("wrong") end
    local errors = summary.errors
    print(string.format("requests %d wrong %d connect %d read %d write %d timeout %d microseconds %d p99 %d",
        summary.requests, wrong_in_all, errors.connect, errors.read, errors.write, errors.timeout, summary.duration,
        latency:percentile(99)))
end
