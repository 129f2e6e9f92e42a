import { Component, onMounted, onWillUnmount } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const INTERVAL = 2000;

/** Progress of a computation; the record is read again until it has ended. */
export class RunProgressField extends Component {
    static template = "customer_lifecycle.RunProgressField";
    static props = { ...standardFieldProps };

    setup() {
        onMounted(() => this.schedule());
        onWillUnmount(() => browser.clearTimeout(this.timeout));
    }

    schedule() {
        browser.clearTimeout(this.timeout);
        if (this.isOpen) {
            this.timeout = browser.setTimeout(() => this.poll(), INTERVAL);
        }
    }

    async poll() {
        try {
            await this.props.record.load();
        } catch (error) {
            // a lost connection must not end the watching
            console.warn(error);
        }
        this.schedule();
    }

    get run() {
        return this.props.record.data;
    }

    get isOpen() {
        return ["pending", "running"].includes(this.run.state);
    }

    get percent() {
        return Math.round(this.run[this.props.name]);
    }

    get text() {
        if (this.run.state === "pending") {
            return _t("Waiting for the scheduled action to start…");
        }
        const steps = Object.fromEntries(this.props.record.fields.step?.selection || []);
        return steps[this.run.step] || "";
    }

    get barClass() {
        return {
            "progress-bar-striped progress-bar-animated": this.isOpen,
            "bg-success": this.run.state === "done",
            "bg-danger": this.run.state === "failed",
        };
    }
}

export const runProgressField = {
    component: RunProgressField,
    displayName: _t("Progress of a run"),
    supportedTypes: ["float"],
    fieldDependencies: [
        { name: "state", type: "selection" },
        { name: "step", type: "selection" },
    ],
};

registry.category("fields").add("lifecycle_run_progress", runProgressField);
