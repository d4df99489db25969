exports.refusals = {};
