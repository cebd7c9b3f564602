// SPDX-License-Identifier: GPL-3.0-or-later
// What KCacheGrind's own loader makes of a file: each function with its self cost (first event) and the count of calls
// of it, each call with its count. Linked with KCacheGrind's libcore by kcachegrind-loader.
#include <QCoreApplication>
#include <QTextStream>

#include "config.h"
#include "globalconfig.h"
#include "loader.h"
#include "logger.h"
#include "tracedata.h"

// One that counts what there was to complain about.
class Complaints : public Logger {
public:
	int count = 0;
	void loadWarning(int line, const QString &text) override { complain(line, text); }
	void loadError(int line, const QString &text) override { complain(line, text); }

private:
	void complain(int line, const QString &text)
	{
		count++;
		fprintf(stderr, "%d: %s\n", line, qPrintable(text));
	}
};

int main(int argc, char **argv)
{
	QCoreApplication application(argc, argv);
	QTextStream out(stdout);
	Complaints *complaints = new Complaints;

	Loader::initLoaders();
	ConfigStorage::setStorage(new ConfigStorage);
	GlobalConfig::config()->addDefaultTypes();
	GlobalConfig::setShowCycles(false);
	TraceData data(complaints);
	if (data.load(QStringList(application.arguments().at(1))) != 1 || data.eventTypes()->realCount() == 0) {
		fprintf(stderr, "not loaded\n");
		return 1;
	}
	EventType *event = data.eventTypes()->realType(0);
	quint64 sum = 0;
	for (TraceFunction &function : data.functionMap()) {
		quint64 called = 0;

		sum += function.subCost(event);
		for (TraceCall *call : function.callers()) {
			called += call->callCount();
			out << "call\t" << call->caller()->name() << "\t" << function.name() << "\t" << (quint64)call->callCount() << "\n";
		}
		out << "function\t" << function.name() << "\t" << (quint64)function.subCost(event) << "\t" << called << "\n";
	}
	out << "total\t" << (quint64)sum << "\n";
	return complaints->count > 0;
}
