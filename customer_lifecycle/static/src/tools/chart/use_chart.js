import { onWillStart, useEffect } from "@odoo/owl";
import { loadBundle } from "@web/core/assets";
import { localization } from "@web/core/l10n/localization";

/**
 * Draw a Chart.js chart on a canvas, again whenever the component has changed.
 *
 * @param {{el: HTMLCanvasElement}} canvasRef
 * @param {(theme: Object) => Object} getConfig returns the Chart.js configuration
 */
export function useChart(canvasRef, getConfig) {
    onWillStart(() => loadBundle("web.chartjs_lib"));
    useEffect(() => {
        if (!canvasRef.el) {
            return;
        }
        const chart = new Chart(canvasRef.el, getConfig(chartTheme(canvasRef.el)));
        return () => chart.destroy();
    });
}

/**
 * Colours and directions of the page that the canvas is on, so that charts follow dark mode and
 * right-to-left languages.
 */
export function chartTheme(canvas) {
    const text = getComputedStyle(canvas.parentElement).color;
    const rtl = localization.direction === "rtl";
    return {
        text,
        rtl,
        grid: withOpacity(text, 0.15),
        animation: window.matchMedia("(prefers-reduced-motion: reduce)").matches ? false : {},
    };
}

/** The same "rgb(…)" colour, translucent. */
export function withOpacity(color, opacity) {
    const parts = color.match(/[\d.]+/g) || [0, 0, 0];
    return `rgba(${parts.slice(0, 3).join(", ")}, ${opacity})`;
}

/** Diagonal stripes: what is expected must differ from what is known by more than its colour. */
export function stripes(color) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const context = tile.getContext("2d");
    context.fillStyle = withOpacity(color, 0.2);
    context.fillRect(0, 0, 8, 8);
    context.strokeStyle = color;
    context.lineWidth = 1.5;
    context.beginPath();
    for (const shift of [-4, 4, 12]) {
        context.moveTo(shift - 4, 8 + 4);
        context.lineTo(shift + 8, 0);
    }
    context.stroke();
    return context.createPattern(tile, "repeat");
}

/** Options that all bar charts of this app share. */
export function barOptions(theme, { formatValue, stacked = false, legend = true }) {
    const ticks = { color: theme.text };
    return {
        responsive: true,
        maintainAspectRatio: false,
        animation: theme.animation,
        interaction: { mode: "index", intersect: false },
        scales: {
            x: { stacked, ticks: { ...ticks }, reverse: theme.rtl, grid: { display: false } },
            y: {
                stacked,
                beginAtZero: true,
                position: theme.rtl ? "right" : "left",
                ticks: { ...ticks, callback: formatValue, maxTicksLimit: 6 },
                grid: { color: theme.grid },
                border: { display: false },
            },
        },
        plugins: {
            legend: {
                display: legend,
                position: "bottom",
                rtl: theme.rtl,
                labels: { color: theme.text, boxWidth: 16 },
            },
            tooltip: { rtl: theme.rtl, textDirection: theme.rtl ? "rtl" : "ltr" },
        },
    };
}
