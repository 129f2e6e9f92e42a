import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";

/** Long enough to read what was done and to take it back. */
const DELAY = 12000;

/**
 * Says what was done, with a button that takes it back.
 *
 * @param {Object} env
 * @param {Object} done
 * @param {string} done.message
 * @param {string} done.model whose method ``action_undo`` takes it back
 * @param {number[]} done.ids
 * @param {Object[]} [buttons] further ones, as notifications have them
 */
export function sayDone(env, { message, model, ids }, buttons = []) {
    const { action, notification, orm } = env.services;
    const undo = async () => {
        await orm.call(model, "action_undo", [ids]);
        await action.doAction("soft_reload");
    };
    const close = notification.add(message, {
        type: "success",
        autocloseDelay: DELAY,
        buttons: [{ name: _t("Undo"), onClick: undo }, ...buttons].map((button) => ({
            ...button,
            onClick: () => {
                close();
                return button.onClick();
            },
        })),
    });
}

registry.category("actions").add("customer_lifecycle.undoable", (env, { params }) => {
    sayDone(env, params);
    return { type: "ir.actions.act_window_close" };
});
