import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { describe, expect, test } from "@odoo/hoot";
import { click, edit, press, queryAllTexts, queryOne } from "@odoo/hoot-dom";
import { advanceTime, animationFrame, Deferred, mockDate } from "@odoo/hoot-mock";
import {
    mockService,
    mountWithCleanup,
    onRpc,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";
import { Journey } from "@customer_lifecycle/journey/journey/journey";
import {
    cluster,
    isWhole,
    move,
    shareOf,
    ticks,
    zoom,
} from "@customer_lifecycle/journey/journey/journey_time";

const { DateTime } = luxon;

describe.current.tags("desktop");
defineMailModels();

const LANES = ["marketing", "sales", "purchase", "payment"].map((name) => ({
    name,
    label: name.toUpperCase(),
}));
const SOURCES = [
    { id: 1, name: "Order", lane: "purchase", icon: "fa-shopping-cart", sentiment: "good" },
    { id: 2, name: "Call", lane: "sales", icon: "fa-phone", sentiment: "neutral" },
    { id: 3, name: "Overdue", lane: "payment", icon: "fa-clock-o", sentiment: "bad" },
];

function item(source, id, moment, title, more = {}) {
    return {
        key: [moment, source, id],
        day: false,
        title,
        who: "",
        amount: false,
        currency_id: false,
        model: "sale.order",
        res_id: id,
        ...more,
    };
}

const JOURNEY = {
    items: [
        item(3, 31, "2026-04-20T23:59:59", "Overdue: INV/1", { day: "2026-04-20", amount: 90 }),
        item(1, 11, "2026-04-02T10:30:00", "Order S1", { amount: 90, currency_id: 1 }),
        item(2, 21, "2026-03-15T08:00:00", "<script>document.title = 'harm'</script>"),
    ],
    next: false,
    days: [
        [1, "2026-04-02", 1, 11, 90],
        [2, "2026-03-15", 1, 21, 0],
        [3, "2026-04-20", 1, 31, 90],
    ],
    sources: SOURCES,
    lanes: LANES,
    bands: [
        {
            ...{ stage: "New", color: 4, tone: "info", start: "2026-03-01", end: "2026-04-02" },
            ...{ days: 32, current: false, usual: "usual: 20–40 days", why: "Orders: 0" },
        },
        {
            ...{ stage: "Active", color: 7, tone: "info", start: "2026-04-02", end: "2026-04-30" },
            ...{ days: 28, current: true, usual: "usual: 90–200 days", why: false },
        },
    ],
    forecast: { from: "2026-05-10", to: "2026-05-24", around: "2026-05-15" },
    people: [{ id: 7, name: "Azure" }],
    customer: { id: 7, name: "Azure" },
    currency_id: 1,
    today: "2026-04-30",
    warnings: [],
};

/** Mount the journey over a server that answers with `answer(options)`. */
async function mountJourney(answer = () => JOURNEY) {
    mockDate("2026-04-30 12:00:00");
    const asked = [];
    onRpc("lifecycle.journey", "get_journey", ({ args }) => {
        asked.push(args[1]);
        return answer(args[1]);
    });
    await mountWithCleanup(Journey, { props: { partnerId: 7 } });
    await animationFrame();
    return asked;
}

test("touchpoints are told newest first, by month, one line each", async () => {
    await mountJourney();
    expect(queryAllTexts(".o_lifecycle_month")).toEqual(["April 2026", "March 2026"]);
    expect(queryAllTexts(".o_lifecycle_row .o_lifecycle_how_much")).toEqual([
        "90.00",
        "$ 90.00",
        "",
    ]);
    expect(".o_lifecycle_row:first").toHaveClass("o_bad");
    expect(".o_lifecycle_sentence").toHaveText(
        /^Active for 28 days \(usual: 90–200 days\)\. Next order expected May 10\s–\s24, 2026\.$/,
    );
});

test("markup in a title is text", async () => {
    const title = document.title;
    await mountJourney();
    expect(".o_lifecycle_row:last .o_lifecycle_what").toHaveText(/<script>document\.title/);
    expect(".o_lifecycle_journey script").toHaveCount(0);
    expect(document.title).toBe(title);
});

test("stages, forecast and markers lie on one axis", async () => {
    await mountJourney();
    expect(queryAllTexts(".o_lifecycle_band_piece:not(.o_lifecycle_forecast) span")).toEqual([
        "New",
        "Active",
    ]);
    expect(".o_lifecycle_forecast").toHaveCount(1);
    expect(".o_lifecycle_lane_rows .o_lifecycle_lane").toHaveCount(3);
    const start = (selector) => parseFloat(queryOne(selector).style.insetInlineStart);
    const order = start("[data-lane=purchase] .o_lifecycle_marker");
    expect(start("[data-lane=sales] .o_lifecycle_marker")).toBeLessThan(order);
    expect(start("[data-lane=payment] .o_lifecycle_marker")).toBeGreaterThan(order);
    expect(start(".o_lifecycle_forecast")).toBeGreaterThan(
        start(".o_lifecycle_track_band .o_lifecycle_today"),
    );
});

test("filters ask the server, and all can be dropped at once", async () => {
    const asked = await mountJourney();
    await click(".o_lifecycle_attention");
    await animationFrame();
    expect(asked.at(-1)).toMatchObject({ attention: true, overview: true });
    await click(".o_lifecycle_chip[data-lane=sales]");
    await animationFrame();
    expect(asked.at(-1)).toMatchObject({ lanes: ["sales"], overview: false });
    expect(".o_lifecycle_chip[data-lane=sales]").toHaveAttribute("aria-pressed", "true");
    await click(".o_lifecycle_search input");
    await edit("S1");
    await advanceTime(400);
    await animationFrame();
    expect(asked.at(-1)).toMatchObject({ text: "S1", attention: true, lanes: ["sales"] });
    await click(".o_lifecycle_clear");
    await animationFrame();
    expect(asked.at(-1)).toMatchObject({ text: "", attention: false, lanes: [] });
    expect(".o_lifecycle_clear").toHaveCount(0);
});

test("the period is changed by buttons and keys, and the list follows", async () => {
    const asked = await mountJourney();
    const number = asked.length;
    await click(".o_lifecycle_closer");
    await animationFrame();
    expect(asked.at(-1).start).toMatch(/^2026-0[34]-\d\d$/);
    expect(asked.at(-1).end > asked.at(-1).start).toBe(true);
    expect(".o_lifecycle_whole").toBeEnabled();
    queryOne(".o_lifecycle_lane_rows").focus();
    await press("Home");
    await animationFrame();
    expect(asked.at(-1).start).toBe(undefined);
    await press("+");
    await animationFrame();
    expect(asked.at(-1).start).not.toBe(undefined);
    expect(asked).toHaveLength(number + 3);
});

test("arrow keys go from marker to marker", async () => {
    await mountJourney();
    queryOne(".o_lifecycle_lane_rows").focus();
    await press("ArrowRight");
    expect(".o_lifecycle_marker:focus").toHaveCount(1);
    expect(document.activeElement).toHaveAttribute("aria-label", /^Overdue, Apr 20, 2026$/);
    await press("ArrowUp");
    expect(document.activeElement).toHaveAttribute("aria-label", /^Order, Apr 2, 2026$/);
    await animationFrame();
    expect(".o_lifecycle_details").toHaveText(/^Order/);
});

test("many touchpoints at one place are a number that opens", async () => {
    const days = Array.from({ length: 9 }, (_, index) => [1, `2026-04-0${index + 1}`, 2, false, 5]);
    const asked = await mountJourney((options) =>
        options.sources ? { items: JOURNEY.items, next: false } : { ...JOURNEY, days },
    );
    const numbers = queryAllTexts(".o_lifecycle_marker.o_many").map(Number);
    expect(numbers.reduce((sum, one) => sum + one)).toBe(18);
    await click(".o_lifecycle_marker.o_many:first");
    await animationFrame();
    await animationFrame();
    expect(asked.at(-1)).toMatchObject({ sources: [1], start: "2026-04-01", limit: 20 });
    expect(".o_lifecycle_peek li button").toHaveCount(3);
});

test("more is read at the end, from the last key on", async () => {
    const first = [item(1, 1, "2026-04-02T10:00:00", "First")];
    const second = [item(1, 2, "2026-04-01T10:00:00", "Second")];
    const asked = await mountJourney((options) =>
        options.before
            ? { items: second, next: false }
            : { ...JOURNEY, items: first, next: ["2026-04-02T10:00:00", 1, 1] },
    );
    await animationFrame();
    if (asked.length === 1) {
        await click(".o_lifecycle_end button");
        await animationFrame();
    }
    expect(asked[1].before).toEqual(["2026-04-02T10:00:00", 1, 1]);
    expect(".o_lifecycle_row").toHaveCount(2);
    expect(".o_lifecycle_end button").toHaveCount(0);
});

test("a click opens the document, and back returns to the same place", async () => {
    const opened = [];
    mockService("action", { doAction: (action) => opened.push(action) });
    const asked = await mountJourney();
    await click(".o_lifecycle_attention");
    await animationFrame();
    await click(".o_lifecycle_row:eq(1)");
    expect(opened[0]).toMatchObject({ res_model: "sale.order", res_id: 11 });
    await mountWithCleanup(Journey, { props: { partnerId: 7 } });
    await animationFrame();
    expect(asked.at(-1)).toMatchObject({ attention: true, overview: true });
    expect(document.activeElement).toHaveAttribute(
        "data-key",
        JSON.stringify(["2026-04-02T10:30:00", 1, 11]),
    );
});

test("loading, nothing and errors have their words", async () => {
    const waiting = new Deferred();
    await mountJourney(() => waiting);
    expect(".o_lifecycle_journey").toHaveAttribute("aria-busy", "true");
    waiting.resolve({ ...JOURNEY, items: [], days: [], bands: [], forecast: false });
    await animationFrame();
    expect(".o_lifecycle_empty").toHaveText(/^No touchpoint yet/);
});

test("an error can be tried again", async () => {
    expect.errors(0);
    let fails = true;
    await mountJourney(() => {
        if (fails) {
            throw new Error("down");
        }
        return JOURNEY;
    });
    expect(".o_lifecycle_journey .alert-danger").toHaveCount(1);
    fails = false;
    await click(".o_lifecycle_journey .alert-danger button");
    await animationFrame();
    expect(".o_lifecycle_row").toHaveCount(3);
});

test("managers are told which source is left out", async () => {
    await mountJourney(() => ({
        ...JOURNEY,
        warnings: [{ source_id: 9, name: "Broken", message: "no such field" }],
    }));
    expect(".o_lifecycle_warning").toHaveText(/“Broken” is left out: no such field/);
});

test("a narrow screen shows band and list only", async () => {
    patchWithCleanup(window, { innerWidth: 390 });
    mockService("ui", { isSmall: true });
    await mountJourney();
    expect(".o_lifecycle_lanes").toHaveCount(0);
    expect(".o_lifecycle_narrow_band .o_lifecycle_band").toHaveCount(1);
    expect(".o_lifecycle_row").toHaveCount(3);
});

const DAY = 24 * 60 * 60 * 1000;

test("zooming keeps the place under the pointer and stays within the whole", () => {
    const whole = { start: 0, end: 1000 * DAY };
    const closer = zoom(whole, whole, 0.5, 0.25);
    expect(shareOf(closer, 250 * DAY)).toBe(0.25);
    expect(closer.end - closer.start).toBe(500 * DAY);
    expect(zoom(closer, whole, 100)).toEqual(whole);
    expect(isWhole(zoom(closer, whole, 2), whole)).toBe(true);
    expect(move(closer, whole, 5).end).toBe(whole.end);
    expect(move(closer, whole, -5).start).toBe(whole.start);
});

test("clusters lose no touchpoint and do not overlap", () => {
    const points = Array.from({ length: 200 }, (_, day) => ({ time: day * DAY, number: 1 }));
    const period = { start: 0, end: 200 * DAY };
    const groups = cluster(points, period, 800, 36);
    expect(groups.reduce((sum, group) => sum + group.number, 0)).toBe(200);
    for (let index = 1; index < groups.length; index++) {
        expect((groups[index].share - groups[index - 1].share) * 800).toBeGreaterThan(35.99);
    }
});

test("marks on the axis do not crowd, whatever the period", () => {
    const start = DateTime.fromISO("2020-02-11").toMillis();
    for (const days of [7, 30, 90, 365, 1500, 9000]) {
        const found = ticks({ start, end: start + days * DAY }, 900);
        expect(found.length).toBeWithin(1, 16);
    }
});
