// The yardstick of numbers in JSON: JSON.parse and JSON.stringify of the list in a file. Prints milliseconds of both
// together: the median and quartiles of many runs.
//
//     node tests/bench/yardstick_node.js FILE [RUNS]
'use strict';
const fs = require('fs');

const text = fs.readFileSync(process.argv[2], 'utf8');
const runs = Number(process.argv[3] || 31);
const times = [];
for (let run = -5; run < runs; run++) { // the first ones are for the compiler to warm up
    const start = process.hrtime.bigint();
    const again = JSON.stringify(JSON.parse(text));
    const milliseconds = Number(process.hrtime.bigint() - start) / 1e6;
    if (again !== text) throw new Error('the numbers changed');
    if (run >= 0) times.push(milliseconds);
}
times.sort((a, b) => a - b);
const at = (part) => times[Math.floor(part * (times.length - 1))].toFixed(2);
console.log(at(0.5), at(0.25), at(0.75));
