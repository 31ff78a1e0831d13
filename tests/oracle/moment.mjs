// Macros of dates and times as moment.js 2.30.1 writes them, which SillyTavern 1.19.0 has them from.
//
//     npm install moment@2.30.1
//     TZ=UTC node tests/oracle/moment.mjs > tests/goldens/sillytavern/moment.jsonl
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const moment = createRequire(pathToFileURL(`${process.cwd()}/`))("moment");

const FORMATS = [
    "LT LTS L LL LLL LLLL l ll lll llll", "YYYY YY Y", "MMMM MMM MM Mo M", "DDDD DDDo DDD DD Do D", "dddd ddd dd do d",
    "HH H hh h mm m ss s A a X", "[at] H[h] [YYYY", "YYYY-MM-DD[T]HH:mm:ss", "Q Qo wo ww w Wo WW W gg gggg ggggg GG GGGG GGGGG e E", "k kk Z ZZ x X", "YYYYY YYYYYY YYYYYYYYYYYYY", "zz z",
    "S SS SSS SSSSSSSSSS", "Hmm Hmmss hmm hmmss", "N NN NNN NNNN NNNNN y yo yy yyy yyyy", "dddd, [the] Do of MMMM", "é [日] YYYY", "", "[]", "[[a]] b]", "[a] b]", "[a", "a]", "\\Y\\\\", "\\\\YYYY\\M\\LT", "\\[a]", "HH\nmm", "HH\r\n[\n]mm", "hLT", "ALTs", "[LT] LL",
];
const NOWS = [
    [0, 0], [1795690800, 60], [951782400, 0], [951868799, 0], [1704067199, 0], [1735689599, -60], [1709251199, 330], [1767225600, -300],
    [1764158400, 0], [1764201599, 0], [1764201600, 0], [1764203400, 0], [1721865600, 840], [1721865600, -720], [1700000001, 0],
    [1609459200, 0], [1612137600, 0], [1614556800, 0], [1702252800, 0], [1702339200, 0], [1702425600, 0], [1702944000, 0], [1703030400, 0], [1703116800, 0],
    [-1, 0], [-62167219201, 0], [-70000000000, 0], [253402300800, 0], [-62135596800, 0], [946684799, 0],
];
const OFFSETS = ["UTC+2", "UTC-7", "UTC+15", "UTC-15", "UTC+16", "UTC-16", "UTC+90", "UTC+0", "UTC-0", "UTC+330", "UTC+900", "utc+2", "UTC2", "UTC+", "UTC+2h", "UTC+2.5", "GMT+2", ""];
const LEGACY = ["{{time_UTC+2}}", "{{time_UTC-7}}", "{{time_utc+2}}", "{{TIME_UTC+10}} and {{time_UTC-10}}", "{{time_UTC}}", "{{time_UTC+}}", "{{time_UTC+2h}}", "{{time_UTC+x}}", "{{time_UTC2}}", "{{time_GMT+2}}", "{{time_UTC+2}", "{{time_UTC+2}}{{time_UTC+2", "{{ time_UTC+2}}", "{{time_}}", "{{time_UT+2}}"];
const DATES = [
    ["2023-01-01 12:00:00", "2023-01-01 15:00:00"], ["2024-01-01", "2024-01-01"], ["2024-03-01", "2024-02-01"], ["2024-03-01", "2023-03-01"],
    ["2023-03-01", "2024-03-01"], ["2023-12-31", "2024-01-01"], ["2024-01-01T00:00:30", "2024-01-01T00:00:00"], ["2024-01-01T00:00:45", "2024-01-01T00:00:00"],
    ["2024-01-01 10:20", "2024-01-01 09:20"], ["2024-01-01 10:20:15", "2024-01-01 10:00:00"], ["2024-01-01 10:20:00.5", "2024-01-01 10:00"],
    ["2024-01-01T10:20:00Z", "2024-01-01 10:00"], ["2024-13-01", "2024-01-01"], ["2024-00-01", "2024-01-01"], ["2024-01-32", "2024-01-01"], ["2024-01-00", "2024-01-01"],
    ["2023-02-29", "2023-01-01"], ["2024-02-29", "2024-01-01"], ["2024-02-30", "2024-01-01"], ["2024-04-31", "2024-01-01"], ["2024-01-01 24:00", "2024-01-01 00:00"], ["2024-01-01 24:30", "2024-01-01 00:00"],
    ["2024-01-01 25:00", "2024-01-01 00:00"], ["2024-01-01 10:60", "2024-01-01 00:00"], ["2024-01-01 10:00:60", "2024-01-01 00:00"], ["2024-01-01 23:59:59", "2024-01-01 00:00"],
    ["2024", "2023"], ["2024-05", "2024-01"], ["soon", "2024-01-01"], ["2024-01-01", "soon"], ["", "2024-01-01"], [" 2024-01-02 ", "2024-01-01"],
    ["2024-01-02 ", "2024-01-01"], ["2024-01-01 10", "2024-01-01 09"], ["2030-01-01", "2024-01-01"], ["1950-01-01", "2024-01-01"], ["2000-03-01", "2000-02-28"], ["1900-03-01", "1900-02-28"],
    ["2024-01-01 01:00:00", "2024-01-01 00:00:01"], ["2024-01-01 00:59:59", "2024-01-01 00:00:00"], ["2024-06-15 18:30:10", "2024-02-20 03:10:50"], ["2024-12-31", "2024-11-30"],
];
const SPANS = [
    0, 1, 30, 44, 45, 46, 60, 89, 90, 91, 120, 150, 2640, 2669, 2670, 2671, 2700, 3600, 5399, 5400, 5401, 7200, 75599, 77399, 77400, 77401, 79200, 86400, 129599, 129600,
    172800, 2203200, 2203199, 2246400, 2332800, 2592000, 3888000, 3944592, 3944593, 5184000, 26265600, 27606528, 27606529, 27621000, 28926720, 31556952, 31536000, 47335428, 47335427, 47340000, 63072000, -120,
];

const print = (line) => process.stdout.write(JSON.stringify(line) + "\n");
// Local time is not UTC, though it may be at no distance from it.
const at = ([now, offset]) => Object.assign(moment.unix(now).utcOffset(offset), { isUtc: () => false, zoneAbbr: () => "", zoneName: () => "" });
for (const format of FORMATS) {
    for (const now of / .* /.test(format) ? NOWS : NOWS.slice(0, 3)) {
        print({ text: `{{datetimeformat::${format}}}`, now, want: at(now).format(format) });
    }
}
for (const now of NOWS) {
    const clock = at(now);
    print({ text: "{{time}}|{{date}}|{{weekday}}|{{isotime}}|{{isodate}}", now, want: ["LT", "LL", "dddd", "HH:mm", "YYYY-MM-DD"].map((format) => clock.format(format)).join("|") });
}
const time = (now, offset) => {
    const match = /^UTC([+-]\d+)$/.exec(offset);
    return (match ? moment.unix(now[0]).utc().utcOffset(parseInt(match[1], 10)) : at(now)).format("LT");
};
for (const offset of OFFSETS) {
    print({ text: `{{time::${offset}}}`, now: NOWS[1], want: time(NOWS[1], offset) });
}
for (const text of LEGACY) {
    print({ text, now: NOWS[1], want: text.replace(/\{\{time_(UTC[+-]\d+)\}\}/gi, (_, offset) => time(NOWS[1], offset)) });
}
moment.suppressDeprecationWarnings = true;
for (const [left, right] of DATES) {
    print({ text: `{{timeDiff::${left}::${right}}}`, want: moment.duration(moment(left).diff(moment(right))).humanize(true) });
}
for (const span of SPANS) {
    print({ text: "{{idleDuration}}", idle: span, want: moment.duration(span, "seconds").humanize() });
}
