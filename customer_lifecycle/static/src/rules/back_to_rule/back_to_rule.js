import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";

/** How often, and how many times, to look whether customers have moved. */
const PAUSE = 1000;
const LOOKS = 60;

/**
 * Goes back to a rule whose proposal is no more, so that no breadcrumb leads to it.
 *
 * @param {Object} env
 * @param {Object} action
 * @param {number} action.params.left screens to leave
 * @param {string} action.params.message
 * @param {string} action.params.name the rule's
 * @param {Object} action.params.rule action that opens it
 * @param {number[]} action.params.runs after which it is read again
 */
export async function backToRule(env, { params }) {
    const { action: actionService, notification, orm } = env.services;
    const trail = actionService.currentController?.config.breadcrumbs || [];
    const former = trail[trail.length - 1 - params.left];
    if (former?.isFormView && former.name === params.name) {
        await actionService.restore(former.jsId);
    } else {
        await actionService.doAction(params.rule, { clearBreadcrumbs: true });
    }
    notification.add(params.message, { type: "success", autocloseDelay: 8000 });
    if (params.runs.length) {
        // not waited for: the screen is there already
        countAnew(actionService, orm, params.runs);
    }
}

/** Reads the rule again once its customers have moved, if it is still looked at. */
async function countAnew(actionService, orm, runs) {
    const here = actionService.currentController?.jsId;
    for (let looks = 0; looks < LOOKS; looks++) {
        await new Promise((resolve) => browser.setTimeout(resolve, PAUSE));
        if (actionService.currentController?.jsId !== here) {
            return;
        }
        const waiting = await orm.silent.searchCount("lifecycle.run", [
            ["id", "in", runs],
            ["state", "in", ["pending", "running"]],
        ]);
        if (!waiting) {
            if (
                !document.querySelector(
                    ".o_form_view .o_form_status_indicator_buttons:not(.invisible)",
                )
            ) {
                await actionService.doAction("soft_reload");
            }
            return;
        }
    }
}

registry.category("actions").add("customer_lifecycle.back_to_rule", backToRule);
