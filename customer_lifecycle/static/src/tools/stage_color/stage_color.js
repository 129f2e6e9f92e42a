/** Class of an element that has a stage's colour as its `--stage`. */
export function stageClass(color) {
    return `o_lifecycle_color_${(color || 0) % 12}`;
}

/**
 * A stage's colour as text, for what is drawn and not styled.
 *
 * @param {HTMLElement} parent where the page's theme holds
 */
export function stageColor(color, parent) {
    const probe = document.createElement("span");
    probe.className = stageClass(color);
    parent.append(probe);
    const value = getComputedStyle(probe).getPropertyValue("--stage").trim();
    probe.remove();
    return value || "gray";
}
