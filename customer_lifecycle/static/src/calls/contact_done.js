import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";

/** Long enough to read what was done and to take it back. */
const DELAY = 12000;

/**
 * Says what became of a suggestion, with a way back and a way on.
 *
 * @param {Object} env
 * @param {Object} done
 * @param {string} done.message
 * @param {number[]} done.outcomes what Undo takes back
 * @param {number} done.profile the customer, whose list goes on
 */
function say(env, { message, outcomes, profile }) {
    const { action, notification, orm } = env.services;
    const close = notification.add(message, {
        type: "success",
        autocloseDelay: DELAY,
        buttons: [
            {
                name: _t("Undo"),
                onClick: async () => {
                    close();
                    await orm.call("lifecycle.contact.outcome", "action_undo", [outcomes]);
                    await action.doAction("soft_reload");
                },
            },
            {
                name: _t("Next Customer"),
                primary: true,
                onClick: async () => {
                    close();
                    const next = await orm.call("lifecycle.profile", "action_contact_next", [
                        [profile],
                    ]);
                    if (next) {
                        await action.doAction(next, {
                            // the list behind the dialog shows who is left
                            onClose: () => action.doAction("soft_reload"),
                        });
                    } else {
                        notification.add(_t("Nobody else is waiting for your call."), {
                            type: "info",
                        });
                    }
                },
            },
        ],
    });
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
