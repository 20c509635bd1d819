// TaskUnits
