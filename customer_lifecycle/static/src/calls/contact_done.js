import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { sayDone } from "@customer_lifecycle/web/undo/undo";

/**
 * Says what became of a suggestion, with a way back and on to the next customer.
 *
 * @param {Object} env
 * @param {Object} done what ``sayDone`` takes
 * @param {number} done.profile the customer, whose list goes on
 */
function say(env, done) {
    const { action, notification, orm } = env.services;
    const next = async () => {
        const call = await orm.call("lifecycle.profile", "action_contact_next", [[done.profile]]);
        if (call) {
            // the list behind the dialog shows who is left
            await action.doAction(call, { onClose: () => action.doAction("soft_reload") });
        } else {
            notification.add(_t("Nobody else is waiting for your call."), { type: "info" });
        }
    };
    sayDone(env, done, [{ name: _t("Next Customer"), primary: true, onClick: next }]);
}

registry.category("actions").add("customer_lifecycle.contact_done", (env, { params }) => {
    say(env, params);
    return { type: "ir.actions.act_window_close" };
});

/** A quotation counts when it is saved, which its own form knows nothing of. */
export const contactDoneService = {
    dependencies: ["action", "bus_service", "notification", "orm"],
    start(env, { bus_service: bus }) {
        bus.subscribe("lifecycle_contact_done", (done) => say(env, done));
        bus.start();
    },
};

registry.category("services").add("lifecycle_contact_done", contactDoneService);
