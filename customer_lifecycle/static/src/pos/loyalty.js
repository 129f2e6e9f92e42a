import { PosOrder } from "@point_of_sale/app/models/pos_order";
import { PosStore } from "@point_of_sale/app/services/pos_store";
import { _t } from "@web/core/l10n/translation";
import { patch } from "@web/core/utils/patch";

/**
 * Conditions of loyalty programs, points by VIP tier and company cards at the till.
 *
 * The server is asked once for each order and customer. Offline the last answer about the
 * customer counts; whoever was not asked about meets no condition and gets the points once.
 */

/** Customer's id (0: nobody) → refused programs, times the points, and cards of the company. */
const known = new Map();

function customerId(order) {
    return order.getPartner()?.id || 0;
}

function isRefused(order, program) {
    const answer = known.get(customerId(order));
    return answer ? answer.refused.includes(program.id) : Boolean(program._lifecycle_restricted);
}

function refusal(order, program) {
    return customerId(order)
        ? _t("“%s” is not for this customer.", program.name)
        : _t("“%s” is for certain customers only. Choose the customer first.", program.name);
}

/** Points as the server rounds them: towards nought, two digits. */
function multiplied(order, program, points) {
    const times = known.get(customerId(order))?.times[program.id];
    if (!times) {
        return points;
    }
    return Math.trunc(points * times * 100 + Math.sign(points) * 1e-6) / 100;
}

/** By program that gives points to the order: the factor they were multiplied by. */
function multipliers(order) {
    const times = known.get(customerId(order))?.times || {};
    const programs = Object.values(order.uiState.couponPointChanges).map((one) => one.program_id);
    return Object.fromEntries(programs.filter((id) => times[id]).map((id) => [id, times[id]]));
}

const orderPatch = {
    _programIsApplicable(program) {
        return super._programIsApplicable(...arguments) && !isRefused(this, program);
    },
    pointsForPrograms(programs) {
        const result = super.pointsForPrograms(...arguments);
        for (const program of programs) {
            for (const change of result[program.id]) {
                change.points = multiplied(this, program, change.points);
            }
        }
        // one that has just become the customer's, while others are still worked on
        for (const program of this.models["loyalty.program"].getAll()) {
            result[program.id] ??= [];
        }
        return result;
    },
    _getPointsCorrection(program) {
        return multiplied(this, program, super._getPointsCorrection(...arguments));
    },
    getClaimableRewards() {
        return super
            .getClaimableRewards(...arguments)
            .filter(({ reward }) => !isRefused(this, reward.program_id));
    },
    _applyReward(reward) {
        if (isRefused(this, reward.program_id)) {
            return refusal(this, reward.program_id);
        }
        return super._applyReward(...arguments);
    },
};

const storePatch = {
    async _updatePrograms() {
        await this._lifecycleAsk(this.getOrder());
        return super._updatePrograms(...arguments);
    },
    async _lifecycleAsk(order) {
        if (!order || order.finalized || this.data.network.offline) {
            return;
        }
        const id = customerId(order);
        const question = `${order.uuid} ${id}`;
        if (question === this._lifecycleAsked || id < 0) {
            return;
        }
        try {
            known.set(
                id,
                await this.data.call("loyalty.program", "lifecycle_pos_customer", [
                    this.config.id,
                    id,
                ]),
            );
            this._lifecycleAsked = question;
        } catch (error) {
            // selling goes on; asked again with the next change of the order
            console.warn("Conditions of loyalty programs could not be looked up.", error);
        }
    },
    async fetchLoyaltyCard(programId, partnerId) {
        const cardId = known.get(partnerId)?.cards[programId];
        if (cardId) {
            const card =
                this.models["loyalty.card"].get(cardId) ||
                (await this.fetchCoupons([["id", "=", cardId]]))[0];
            if (card) {
                return card;
            }
        }
        return super.fetchLoyaltyCard(...arguments);
    },
    async postProcessLoyalty(order) {
        const times = multipliers(order);
        const result = await super.postProcessLoyalty(...arguments);
        if (Object.keys(times).length) {
            try {
                await this.data.call("loyalty.program", "lifecycle_pos_explain", [order.id, times]);
            } catch (error) {
                // the points are there; only the reason of their number is not
                console.warn("The points' factor could not be noted.", error);
            }
        }
        return result;
    },
    async activateCode(code) {
        const order = this.getOrder();
        // asks, and never while programs are being worked on
        await this.updatePrograms();
        const rule = this.models["loyalty.rule"].find(
            (one) => one.mode === "with_code" && [one.code, one.promo_barcode].includes(code),
        );
        if (rule && isRefused(order, rule.program_id)) {
            return refusal(order, rule.program_id);
        }
        const result = await super.activateCode(...arguments);
        const coupon = order._code_activated_coupon_ids.find((one) => one.code === code);
        if (coupon && isRefused(order, coupon.program_id)) {
            order._code_activated_coupon_ids = [["unlink", coupon]];
            return refusal(order, coupon.program_id);
        }
        return result;
    },
};

let patched = false;

patch(PosStore.prototype, {
    async setup() {
        // when everything is loaded, so that these go before those of the loyalty app
        if (!patched && PosOrder.prototype._programIsApplicable) {
            patched = true;
            patch(PosOrder.prototype, orderPatch);
            patch(PosStore.prototype, storePatch);
        }
        return super.setup(...arguments);
    },
});
