/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A pass that is one function, and its place among GCC's own: what every pass here would else say in forty lines.
 * Included by the *-pass.cc, which say at their ends where they sit. */
#ifndef PROFCC_PASS_H
#define PROFCC_PASS_H

#include "gcc-compat.h"

inline pass_data rps_pass_data(opt_pass_type type, const char *name, unsigned int needs)
{
	const pass_data data = {type, name, OPTGROUP_NONE, TV_NONE, needs, 0, 0, 0, 0};

	return data;
}

/* `run` returns TODO_ flags; `gate` (NULL: always) says whether the pass is wanted. */
template <class base, opt_pass_type type> class rps_pass : public base
{
      public:
	typedef unsigned (*runner)(function *fun);
	typedef bool (*gatekeeper)();

	rps_pass(const char *name, unsigned int needs, runner run, gatekeeper gate = NULL)
	    : base(rps_pass_data(type, name, needs), g), run_(run), gate_(gate)
	{
	}

	/* GCC has several of some passes, and wants as many of those that are put beside them. */
	opt_pass *clone() final override
	{
		return new rps_pass(this->name, this->properties_required, run_, gate_);
	}

	bool gate(function *) final override
	{
		return !gate_ || gate_();
	}

	unsigned execute(function *fun) final override
	{
		return run_(fun);
	}

      private:
	runner run_;
	gatekeeper gate_;
};

typedef rps_pass<gimple_opt_pass, GIMPLE_PASS> rps_gimple_pass;
typedef rps_pass<rtl_opt_pass, RTL_PASS> rps_rtl_pass;

/* Beside GCC's pass `reference`: the first of that name, or all of them (instance 0). */
inline void rps_pass_register(const char *plugin_name, opt_pass *pass, pass_positioning_ops position,
			      const char *reference, int instance)
{
	struct register_pass_info info;

	info.pass = pass;
	info.reference_pass_name = reference;
	info.ref_pass_instance_number = instance;
	info.pos_op = position;
	register_callback(plugin_name, PLUGIN_PASS_MANAGER_SETUP, NULL, &info);
}

#endif
